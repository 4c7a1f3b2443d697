"""The words of a text, as everything here that looks at words sees them.

Letters of any script, folded; of English the words that say nothing left out and the commonest
endings cut. A change of these rules changes `RULES`, and with it every index is made anew.
"""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

RULES = "words-2"

_WORD = re.compile(r"[^\W_]+")
EMPTY = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by can could did do does for from had has have how i if"
        " in into is it its may my not of on or our shall should so than that the their them then"
        " there these they this those to was we were what when where which who whom why will with"
        " would you your",
    )
)
_SHORT = 4
"""Words of fewer letters keep their endings."""


def folded(text: str) -> str:
    """The same text for all who only wrote it differently."""
    return normalize("NFKC", text).casefold()


def words(text: str) -> list[str]:
    """The words that say something, in order, without their endings."""
    return [stem(word) for word in _WORD.findall(folded(text)) if word not in EMPTY]


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The word without a plural or a tense of English; others stay as they are."""
    if len(word) < _SHORT or not word.isascii() or not word.isalpha():
        return word
    if word.endswith(("ies", "ied")):
        return word[:-1] if len(word) == _SHORT else _with_y(word[:-2])
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-2] if word.endswith(("ches", "shes", "sses", "xes")) else word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= _SHORT - 1:
            return _with_y(_mended(word[: -len(ending)]))
    return word[:-1] if word.endswith("e") else _with_y(word)


def _with_y(word: str) -> str:
    """`study`, `studies` and `movie` end in `i`; where that leaves three letters, as in `tri`, it
    is `try`, which is too short to be cut. `day` stays.
    """
    if len(word) < _SHORT:
        return word[:-1] + "y" if word.endswith("i") else word
    return word[:-1] + "i" if word.endswith("y") and word[-2] not in "aeiou" else word


def _mended(cut: str) -> str:
    """`stopp` is `stop`; `call` stays."""
    doubled = len(cut) > 2 and cut[-1] == cut[-2] and cut[-1] not in "lsz"
    return cut[:-1] if doubled else cut
