"""The language of the messages to be moderated: parts, words, and the ways to disguise a word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

FLAGS = ("insult", "threat", "spam", "private")
SEVERITIES = ("none", "low", "medium", "high")
"""By level, from 0 to 3."""
CLEAN = "clean"
PROMPT_END = "#"
LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5"}
_LETTERS = {sign: letter for letter, sign in LEET.items()}


class Pattern(NamedTuple):
    """A part of a message, what it is, and how bad."""

    text: str
    words: tuple[str, ...]
    flag: str
    level: int


class Part(NamedTuple):
    """A pattern with the word that stands in it, as it is spelt."""

    pattern: Pattern
    word: str
    spelt: str

    def text(self) -> str:
        return self.pattern.text.format(self.spelt)


INSULTS = ("loser", "moron", "creep")
THREATS = ("punch", "smash", "burn")
GOODS = ("casino", "crypto", "lotto")
NUMBERS = ("",)
"""Five digits, drawn."""
PLAIN = ("soup", "song", "game", "plan")
HARMFUL = (
    Pattern("you are a {}", INSULTS, "insult", 2),
    Pattern("he is a {}", INSULTS, "insult", 1),
    Pattern("i will {} you", THREATS, "threat", 3),
    Pattern("they may {} him", THREATS, "threat", 2),
    Pattern("visit my {}", GOODS, "spam", 1),
    Pattern("her number is {}", NUMBERS, "private", 2),
)
ALIKE = (
    Pattern("you are no {}", INSULTS, CLEAN, 0),
    Pattern("i will {} the bag", THREATS, CLEAN, 0),
    Pattern("i hate the {}", GOODS, CLEAN, 0),
    Pattern("my order is {}", NUMBERS, CLEAN, 0),
)
HARMLESS = (
    Pattern("the {} was good", PLAIN, CLEAN, 0),
    Pattern("we like the {}", PLAIN, CLEAN, 0),
)
SHAPES = [
    (re.compile(re.escape(one.text).replace(r"\{\}", r"(\S+)")), one)
    for one in (*HARMFUL, *ALIKE, *HARMLESS)
]


def parts_of(prompt: str) -> list[Part]:
    """A message of our own making in its parts."""
    parts = []
    for text in prompt.removesuffix(PROMPT_END).split(", "):
        for shape, pattern in SHAPES:
            match = shape.fullmatch(text)
            word = _meant(match[1], pattern.words) if match else None
            if match is not None and word is not None:
                parts.append(Part(pattern, word, match[1]))
                break
        else:
            raise ValueError(f"{text[:60]!r} is not in the language of these messages")
    return parts


def answer_of(parts: Sequence[Part]) -> dict[str, Any]:
    """What is right."""
    found = {part.pattern.flag for part in parts}
    worst = max(part.pattern.level for part in parts)
    return {"flags": [one for one in FLAGS if one in found], "severity": SEVERITIES[worst]}


def disguised(word: str, luck: Random) -> str:
    """In one of three ways, so that a reader still knows it."""
    match luck.randrange(3):
        case 0 if changing := [one for one in word if one in LEET]:
            letter = luck.choice(changing)
            return word.replace(letter, LEET[letter])
        case 1:
            return ".".join(word)
    place = luck.randrange(len(word))
    return word[:place] + word[place] + word[place:]


def drawn(luck: Random, hard: float) -> Part:
    draw = luck.random()
    kind = HARMFUL if draw < 0.6 else ALIKE if draw < 0.6 + 0.3 * hard else HARMLESS
    pattern = luck.choice(kind)
    if pattern.words is NUMBERS:
        word = "".join(luck.choice("0123456789") for _ in range(5))
    else:
        word = luck.choice(pattern.words)
    hidden = kind is not HARMLESS and pattern.words is not NUMBERS and luck.random() < hard
    return Part(pattern, word, disguised(word, luck) if hidden else word)


def _meant(spelt: str, words: Sequence[str]) -> str | None:
    """The word behind a spelling; a number means itself."""
    if words is NUMBERS:
        return spelt if spelt.isdigit() else None
    plain = "".join(_LETTERS.get(one, one) for one in spelt.replace(".", ""))
    shortened = {plain[:place] + plain[place + 1 :] for place in range(1, len(plain))}
    twice = {word for word in words if word in shortened and len(plain) == len(word) + 1}
    return plain if plain in words else min(twice, default=None)
