"""What a question and a text have to say beside the words that they share.

All memories of one person are near every question about that person: the shared name makes them
so. What is asked of the person, and what a memory tells, stands in the rest of both.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from memory.words import stem, words

_PIECE = re.compile(r"[^\W_]+|[\W_]+")
CALENDAR = frozenset(
    map(
        stem,
        re.findall(
            r"\w+",
            "monday tuesday wednesday thursday friday saturday sunday january february march april"
            " may june july august september october november december",
        ),
    )
)
"""Written as names in English, and said in other words as any time is."""
_SENTENCE = re.compile(r"[.!?:]\s")


def rest(text: str, shared: Collection[str]) -> str:
    """The text without the words that are shared, given by their stems; '' where none is left that
    says something."""
    kept, says = [], False
    for piece in _PIECE.findall(text):
        stems = words(piece)  # none of what says nothing, and several of letters that are folded
        if not stems:
            kept.append(piece)
        elif not all(one in shared for one in stems):
            kept.append(piece)
            says = True
    return " ".join("".join(kept).split()) if says else ""


def names(text: str) -> frozenset[str]:
    """Stems of the words that name somebody or something, as far as writing shows it: those with a
    capital letter inside a sentence, or with a digit. Who writes all in capitals shows nothing."""
    if text.isupper():
        return frozenset()
    found: set[str] = set()
    for sentence in _SENTENCE.split(text):
        pieces = [one for one in _PIECE.findall(sentence) if one[0].isalnum()]
        for place, piece in enumerate(pieces):
            if (place > 0 and piece[0].isupper()) or any(map(str.isdigit, piece)):
                found.update(words(piece))
    return frozenset(found - CALENDAR)
