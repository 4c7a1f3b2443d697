"""Orders in what a model wrote: to whoever checks it, or to whoever learns from it.

What is quoted to a verifier is data for it, and a verifier that obeys all the same would let it
into the data that models learn from. So the plainest of such orders are looked for without any
model. Few words say them in earnest; what says the same in other words is for the verifier to see.
"""

from __future__ import annotations

import re

_RULES = r"(?:rules?|instructions?|prompts?|guidelines?|(?:content|safety)\s+polic(?:y|ies))"
_NOT = r"(?<!not )(?<!never )(?<!n't )"
_ORDER = re.compile(
    "|".join(
        (
            rf"{_NOT}\b(?:ignore|disregard|forget|override|bypass)\s+(?:\w+\s+){{0,4}}{_RULES}\b",
            rf"{_NOT}\b(?:ignore|disregard|forget)\s+(?:all|everything|anything|what)\s+"
            r"(?:\w+\s+){0,3}(?:above|before|previously)\b",
            rf"\b(?:new|real|updated)\s+(?:system\s+)?{_RULES}\s*:",
            r"\b(?:reveal|print|repeat|show|leak)\s+(?:\w+\s+){0,3}system\s+(?:prompt|message)\b",
            rf"{_NOT}\b(?:approve|accept)\s+"
            r"(?:everything|anything|all\s+of|this\s+(?:solution|answer|row))\b",
            r"\b(?:score|rate|mark|grade)\s+(?:this|it|everything|all)\s+(?:\w+\s+){0,3}"
            r"(?:as\s+(?:right|correct|valid|perfect)|1(?:\.0)?\b|10\b|full)",
            r"\b(?:do\s+not|don't|never)\s+(?:check|verify|judge)\s+(?:this|it|any)\b",
            r"\byou\s+are\s+(?:now|no\s+longer)\s+(?:an?|the|bound|in)\b",
            r"\bfrom\s+now\s+on,?\s+(?:you|all|every|always|answer|say)\b",
        )
    ),
    re.IGNORECASE,
)
LOOKED_AT = 20_000
"""Characters; what is longer is no step and no answer of ours."""


def order_in(text: str, known: str = "") -> str:
    """The first order that stands in a text and not in what is known already; or nothing."""
    said = " ".join(known.split()).lower()
    for found in _ORDER.finditer(" ".join(text[:LOOKED_AT].split())):
        if found[0].lower() not in said:
            return found[0]
    return ""
