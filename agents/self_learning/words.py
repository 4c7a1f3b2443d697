"""The words of a text as they are compared: in lower case, without endings, without filler.

They belong to the decisions that are made by them: an index may read words by other rules at any
time, a decision that is derived again may not. Endings and filler are those of English; in other
languages words are compared as they stand. Where no spaces are written (Chinese, Japanese) every
letter counts as a word.
"""

from __future__ import annotations

import re
from unicodedata import normalize

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_APOSTROPHE = re.compile(r"(?<=\w)n['\u2019]t\b")
_POSSESSIVE = re.compile(r"(?<=\w)['\u2019]s\b")

_NO_MEANING = """
    a an and are as at be been by can could did do does for from had has have he her his how i in is
    it its me my of on or our please she should so that the their them there they this to us was we
    were what when where which who whom whose why will with would you your
"""
_DENYING = "no not nor never none neither without cannot nobody nothing"
FILLER = frozenset(_NO_MEANING.split())
"""Words that tell one text from another in no way. Words that deny are not among them."""
DENIALS = frozenset(_DENYING.split())


def plain_words(text: str) -> list[str]:
    """Every word, in lower case; `isn't` is `is not`, and `Ann's` is `Ann`."""
    whole = normalize("NFKC", text).casefold()
    return _WORD.findall(_POSSESSIVE.sub("", _APOSTROPHE.sub(" not", whole)))


def words(text: str) -> list[str]:
    """The words that carry meaning, each without its ending, in their order."""
    return [stem(word) for word in plain_words(text) if word not in FILLER]


def stem(word: str) -> str:
    """The word without the endings of plural, tense and course: `moved`, `moving`, `moves`."""
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith("s") and word[-2] not in "sui":
        word = word[:-1]
    for ending, least in (("ing", 6), ("ed", 5)):
        if word.endswith(ending) and len(word) >= least:
            word = word.removesuffix(ending)
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word
