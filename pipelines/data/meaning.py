"""Whether a text that is near an evaluation item in meaning says the item again.

Nearness alone does not tell: another thing of the same subject is as near as the same thing in
other words. But what is near because it shares words has been compared word by word before; so
what counts is how much nearer two texts are than the words that they share explain. And two texts
whose numbers differ are two problems, however alike they sound.
"""

from __future__ import annotations

import re

from memory.words import words

BEYOND = 0.5
"""Cosine less the share of words in common, from which on a text says an item again."""
_NUMBER = re.compile(r"\d(?:[\d,]*\d)?")


def says_again(text: str, item: str, cosine: float) -> bool:
    """Whether the text has the item in it, in other words."""
    if cosine < BEYOND or not item:
        return False
    return cosine - shared(text, item) >= BEYOND and not other_numbers(text, item)


def shared(text: str, item: str) -> float:
    """Of the words that say something, how many the poorer of the two shares with the other."""
    one, other = set(words(text)), set(words(item))
    return len(one & other) / max(1, min(len(one), len(other)))


def other_numbers(text: str, item: str, least: int = 1) -> bool:
    """Whether both have so many numbers, written in digits, and most of them are others."""
    one, other = _numbers(text), _numbers(item)
    fewer = min(len(one), len(other))
    return fewer >= least and 2 * len(one & other) < fewer


def _numbers(text: str) -> set[str]:
    return {found.replace(",", "") for found in _NUMBER.findall(text)}
