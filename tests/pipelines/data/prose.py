"""English-like prose for tests, and the ways in which somebody may say an item again.

The words follow Zipf's law, as those of people do; texts that are drawn apart share no origin.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import accumulate

COMMON = [
    "the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "as", "was", "with", "be", "by",
    "on", "not", "he", "this", "are", "or", "his", "from", "at", "which", "but", "have", "an",
    "had", "they", "you", "were", "their", "one", "all", "we", "can", "her", "has", "there",
]  # fmt: skip
SYLLABLES = [a + b for a in "bcdfglmnprstv" for b in ("a", "e", "i", "o", "u", "ar", "en", "ol")]
NAMES = ("Anna", "Bilal", "Chen", "Dora", "Emil", "Fatou", "Goran", "Hana", "Ivo", "Jutta", "Karim")
TOWNS = ("Lund", "Porto", "Graz", "Tartu", "Namur", "Bergen", "Cork", "Split", "Ghent", "Varna")
GOODS = ("crates of pears", "bags of lentils", "boxes of screws", "jars of honey", "rolls of cloth")
ASKED = (
    "{name} from {town} sold {n} {goods} on Monday and {m} more on Friday, each for {p} euros. How "
    "many euros did {name} earn altogether in that week?"
)
SAID_OTHERWISE = (
    "Find the weekly income of {name}, a trader in {town}: Monday brought {n} {goods}, Friday "
    "another {m}, and the price was {p} euros apiece."
)


def lexicon(size: int = 4000) -> list[str]:
    """Words, the frequent ones first."""
    luck = random.Random("lexicon")
    made = dict.fromkeys(COMMON)
    while len(made) < size:
        made["".join(luck.choices(SYLLABLES, k=luck.randint(2, 4)))] = None
    return list(made)


WORDS = lexicon()
SUMS = list(accumulate(1 / (rank + 3) for rank in range(len(WORDS))))


def texts(seed: int, many: int, length: int = 60) -> list[str]:
    """Sentences of about so many words."""
    luck = random.Random(f"prose {seed}")
    return [sentence(luck.choices(WORDS, cum_weights=SUMS, k=length)) for _ in range(many)]


def sentence(words: list[str]) -> str:
    """With a capital, commas and full stops where they might be."""
    marked = [f"{word}," if place % 11 == 7 else word for place, word in enumerate(words)]
    marked = [f"{word}." if place % 17 == 16 else word for place, word in enumerate(marked)]
    return f"{' '.join(marked).capitalize()}."


def one_word_changed(text: str, luck: random.Random) -> str:
    """The text with another word, one more or one less."""
    read = text.split()
    place = luck.randrange(len(read))
    match luck.randrange(3):
        case 0:
            read[place] = luck.choice(SYLLABLES) + "x"
        case 1:
            read.insert(place, luck.choice(SYLLABLES) + "x")
        case _:
            del read[place]
    return " ".join(read)


def one_word_moved(text: str, luck: random.Random) -> str:
    """The same words, one of them a few places on."""
    read = text.split()
    place = luck.randrange(len(read))
    word = read.pop(place)
    read.insert((place + luck.randint(1, 5)) % (len(read) + 1), word)
    return " ".join(read)


def asked(seed: int, many: int) -> Iterator[dict[str, object]]:
    """Facts of which a problem can be made by either template."""
    luck = random.Random(f"facts {seed}")
    for _ in range(many):
        yield {
            "name": f"{luck.choice(NAMES)} {''.join(luck.choices(SYLLABLES, k=2)).title()}",
            "town": luck.choice(TOWNS),
            "goods": luck.choice(GOODS),
            "n": luck.randint(20, 900),
            "m": luck.randint(20, 900),
            "p": luck.randint(2, 99),
        }


def _wrapped(text: str, _luck: random.Random) -> str:
    return f"Please think about this carefully and answer: {text} Thank you for your help!"


def _shouted(text: str, _luck: random.Random) -> str:
    return text.upper().replace(",", " --").replace(".", " !")


def _filled(text: str, luck: random.Random) -> str:
    """A filler after every sixth word, so that no run of eight is left."""
    fillers = ("basically", "you know", "well", "so to say")
    read = text.split()
    return " ".join(
        f"{word} {luck.choice(fillers)}" if place % 6 == 5 else word
        for place, word in enumerate(read)
    )


def _synonyms(text: str, luck: random.Random) -> str:
    """Every fifth word is another one."""
    read = text.split()
    return " ".join(
        luck.choice(SYLLABLES) + "ish" if place % 5 == 3 else word
        for place, word in enumerate(read)
    )


def _turned(text: str, _luck: random.Random) -> str:
    """The second half first, and a few words between."""
    read = text.split()
    half = len(read) // 2
    return " ".join([*read[half:], "while", "before", "that", *read[:half]])


def _turned_and_filled(text: str, luck: random.Random) -> str:
    return _wrapped(_filled(_turned(text, luck), luck), luck)


REWORDED: dict[str, Callable[[str, random.Random], str]] = {
    "wrapped": _wrapped,
    "shouted": _shouted,
    "filled": _filled,
    "synonyms": _synonyms,
    "turned": _turned,
    "turned and filled": _turned_and_filled,
}
