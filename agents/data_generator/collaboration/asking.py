"""How problems and solutions stand in a message, so that any model can read them, and find them.

Each message ends with documents of JSON in fences. What comes from elsewhere stands in fences
before them, so the last document of a kind is always ours, whatever others pretend.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from guardrails.quoting import quoted

PROBLEMS, TRAJECTORIES, ANSWERS = "problems", "trajectories", "answers"
_HARMFUL = re.compile(
    "[<\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\U000e0000-\U000e007f]"
    r"|\[(?=/?INST\])",
    re.IGNORECASE,
)
"""Marks of chat templates begin so; the rest nobody sees. None of it is a part of JSON itself."""
_FENCE = re.compile(r"<<<([0-9a-f]{16,64})\n(.*?)\n\1>>>", re.DOTALL)


def document(kind: str, found: Sequence[Any], about: str) -> str:
    """Problems or trajectories as they stand in a message.

    What a quotation would make harmless is written as JSON escapes it: then it is harmless, and is
    read as it was.
    """
    text = json.dumps({kind: list(found)}, ensure_ascii=False)
    return quoted(_HARMFUL.sub(_escaped, text), about)


def _escaped(sign: re.Match[str]) -> str:
    halves = sign[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{halves[place : place + 4]}" for place in range(0, len(halves), 4))


def documents(text: str) -> dict[str, list[Any]]:
    """What a message holds of each kind; a fence in a fence is text, and counts nothing."""
    found: dict[str, list[Any]] = {}
    for fence in _FENCE.finditer(text):
        try:
            said = json.loads(fence[2])
        except ValueError:
            continue
        for kind in (PROBLEMS, TRAJECTORIES, ANSWERS):
            if isinstance(said, dict) and list(said) == [kind] and isinstance(said[kind], list):
                found[kind] = said[kind]
    return found
