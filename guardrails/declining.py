"""Whether a model declined in plain words: servers that have no field for it answer so."""

from __future__ import annotations

import re

LOOKED_AT = 160
"""Characters from the beginning: who declines does so at once."""

_DECLINES = re.compile(
    r"\A\W{0,8}(?:(?:i'm|i am) (?:very |so |really )?sorry\b|i apologi[sz]e\b|sorry,|"
    r"unfortunately,|as an ai\b|(?:i am|i'm) (?:unable|not able)\b|"
    r"i (?:can't|cannot|can not|won't|will not|must decline)\b)",
    re.IGNORECASE,
)
_TO_DO = re.compile(
    r"\b(?:can't|cannot|can not|won't|will not|unable|not able|decline|refuse|not comfortable|"
    r"against my)\b",
    re.IGNORECASE,
)


def declines(said: str) -> bool:
    """True for "I'm sorry, but I can't help with that"; politeness alone is no refusal."""
    beginning = said[:LOOKED_AT].replace("\u2019", "'")
    return _DECLINES.search(beginning) is not None and _TO_DO.search(beginning) is not None
