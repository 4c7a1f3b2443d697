"""A copy in letters that only look the same is the same text, and so is one with hidden signs."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from pipelines.data.contamination import Guarded
from pipelines.data.near import repeated
from pipelines.data.words import words
from tests.pipelines.data.prose import texts

CYRILLIC = str.maketrans(
    "aceopxyiABEHKMOPCTX",
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0410\u0412\u0415\u041d\u041a\u041c\u041e\u0420\u0421\u0422\u0425",
)
GREEK = str.maketrans(
    "aoiABEHIKMNOPTXYZ",
    "\u03b1\u03bf\u03b9\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7\u03a5\u0396",
)
HIDDEN = "\u00ad\u034f\u061c\u180e\u200b\u200d\u202a\u2066\u2069\ufe0f\ufeff\U000e0041"


def between(text: str, signs: str) -> str:
    luck = random.Random(text)
    return "".join(sign + (luck.choice(signs) if sign.isalpha() else "") for sign in text)


DISGUISES: dict[str, Callable[[str], str]] = {
    "Cyrillic": lambda text: text.translate(CYRILLIC),
    "Cyrillic, written large": lambda text: text.upper().translate(CYRILLIC),
    "Greek": lambda text: text.translate(GREEK),
    "Greek, written large": lambda text: text.upper().translate(GREEK),
    "wide letters": lambda text: "".join(chr(ord(one) + 0xFEE0) if one.isalpha() else one
                                         for one in text),
    "accents": lambda text: between(text, "\u0301\u0308\u0327"),
    "hidden signs": lambda text: between(text, HIDDEN),
}  # fmt: skip


@pytest.mark.parametrize("name", DISGUISES)
def test_a_disguised_text_is_found_as_what_it_is(name: str) -> None:
    items = texts(seed=5, many=40)
    disguised = [DISGUISES[name](text) for text in items]
    assert all(one != other for one, other in zip(items, disguised, strict=True))
    assert all(Guarded(items).leaks(disguised))
    assert all(repeated([*items, *disguised])[len(items) :])


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("мама мыла раму", 3),
        ("Ἀρχὴ ἥμισυ παντός", 3),
        ("한국어 학교", 5),
        ("がくせい です", 6),
        ("naïve Straße", 2),
    ],
)
def test_a_text_that_is_really_written_so_has_as_many_words_as_ever(text: str, read: int) -> None:
    assert len(words(text)) == read
    assert words(text) == words(text.upper())
