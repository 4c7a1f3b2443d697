"""How texts are read when they are compared: case, form, punctuation and hidden signs set aside.

So are accents, and letters of other scripts that look like Latin ones: a copy does not become
another text by them, and texts that are really written so are read alike on both sides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

_BLANKS = {sign: " " for sign in range(128) if not chr(sign).isalnum()}
_HIDDEN = re.compile(
    "[\u00ad\u0300-\u036f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
"""What nobody sees, and the accents of Latin, Greek and Cyrillic letters."""
_ALIKE = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u051b\u051d"
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"
    "\u0131\u0251\u0261\u0269\u0578\u0585",
    "abekmhopctyxijsdhqwabezhikmnoptyxiagino",
)
"""Small letters of Cyrillic, Greek and others that look, small or large, like these."""
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Scripts that put no blanks between words: each sign counts as one."""
_WORD = re.compile(f"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\\W_])+")
_TOKEN = re.compile(f"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\\W_])+|[^\\w\\s]|_")


def plain(text: str) -> str:
    """The text without differences that nobody hears."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _HIDDEN.sub("", apart)).translate(_ALIKE)


def words(text: str) -> list[str]:
    """Its words and numbers, in order; signs between them are gone."""
    if text.isascii():  # eight times as fast, and the same
        return text.translate(_BLANKS).lower().split()
    return _WORD.findall(plain(text))


def tokens(text: str) -> list[str]:
    """Its words, numbers and signs: in a language of signs these mean something."""
    return _TOKEN.findall(plain(text))


def grams(parts: Sequence[str], n: int) -> Iterator[int]:
    """A number for each run of `n` words; the same numbers within this process only."""
    return map(hash, zip(*(parts[place:] for place in range(n)), strict=False))


def one_left_out(parts: Sequence[str]) -> Iterator[int]:
    """A number for each way to leave one word out: two texts that differ in one word share one.

    The text as it is comes first, so that one is found from which a word is missing.
    """
    whole = tuple(parts)
    yield hash(whole)
    for place in range(len(whole)):
        yield hash(whole[:place] + whole[place + 1 :])
