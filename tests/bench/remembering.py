"""Five abilities of a memory, by way of finding, on memories that a seed makes.

Questions are worded as the facts are; how the same questions in other words fare is noted beside
them, where a way that knows words only has to abstain, and one that knows meanings finds them and
finds something near for what nobody told. So do machines and services, of which others are told
what is asked: neither shares nor bars were chosen on those. Baselines: the newest memories without
any search, and the tokens of a window that would hold everything.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

from memory.lexical import LexicalEmbedder
from memory.remembering.both import BAR, ByBoth
from memory.remembering.lexical import ByWords
from memory.remembering.scale import measured
from memory.remembering.searching import ByMeaning, Search, Vectors
from tests.bench.results import Goal, Result
from tests.memory.direct import Direct
from tests.memory.remembering.abilities import ABILITIES, BUDGET, LIMIT, Newest, made, scores
from tests.memory.remembering.abilities import tokens_of_all as whole
from tests.memory.remembering.subjects import MACHINES, SERVICES, marks, told
from tests.memory.remembering.test_abilities import LEAST, LETTERS_BAR

FIRST_SEED = 201
DENSE_BAR = 0.6
"""Chosen on seeds 1 and 2, between finding what is said in other words and abstaining."""


def measure(short: bool) -> Result:
    seeds = range(FIRST_SEED, FIRST_SEED + (1 if short else 5))
    people = 8 if short else 15
    embedder = Direct()
    ways: dict[str, Search] = {
        "bm25": ByWords(),
        "lexical": ByMeaning(LexicalEmbedder(), LETTERS_BAR),
        "MiniLM dense": ByMeaning(embedder, DENSE_BAR),
        "MiniLM hybrid": ByBoth(Vectors(embedder), asyncio.run(measured(embedder))),
        "newest": Newest(),
    }
    figures: dict[str, list[float]] = {}
    others: dict[str, dict[str, float]] = {}
    seconds: dict[str, float] = {}
    memories = [made(seed, people) for seed in seeds]
    reworded = [made(seed, people, other=True) for seed in seeds]
    for name, way in ways.items():
        began = time.perf_counter()
        found = [asyncio.run(scores(memory, way)) for memory in memories]
        asked = sum(len(memory.questions) for memory in memories)
        seconds[name] = round(1000 * (time.perf_counter() - began) / asked, 3)
        for ability in ABILITIES:
            figures[f"{name} {ability}"] = [one[ability] for one in found]
        others[name] = _mean([asyncio.run(scores(memory, way)) for memory in reworded])
    goals = [
        Goal(f"{name} {ability}", min(figures[f"{name} {ability}"]), least)
        for name, abilities in LEAST.items()
        for ability, least in abilities.items()
    ]
    hybrid = "MiniLM hybrid"
    goals += [
        Goal("MiniLM hybrid, in other words, found", _found(others[hybrid]), 0.85),
        Goal("MiniLM hybrid, abstained, both wordings",
             statistics.fmean((statistics.fmean(figures[f"{hybrid} unknown"]),
                               others[hybrid]["unknown"])), 0.85),
    ]  # fmt: skip
    notes: dict[str, Any] = {
        "in_other_words": others,
        "machines_and_services": {
            name: _subjects(ways[name], range(1, 2 if short else 4)) for name in ("bm25", hybrid)
        },
        "milliseconds_a_question": seconds,
        "questions": sum(len(memory.questions) for memory in memories),
        "memories": [len(memory.rows) for memory in memories],
        "tokens_of_all": [whole(memory) for memory in memories],
        "tokens_given": BUDGET,
    }
    return Result(
        f"questions answered right by the first {LIMIT} memories found, or by abstaining",
        "share",
        {
            "bm25": f"words, from {ByWords().bar:g} on",
            "lexical": f"letters, the fallback embedder, from {LETTERS_BAR:g} on",
            "MiniLM dense": f"the local embedder's cosine, from {DENSE_BAR:g} on",
            "MiniLM hybrid": f"as served: the meaning beside shared words, from {BAR:g} on",
            "newest": "no search, the newest that fit",
        },
        figures,
        goals,
        notes,
    )


def _mean(found: list[dict[str, float]]) -> dict[str, float]:
    return {
        ability: round(statistics.fmean(one[ability] for one in found), 3) for ability in ABILITIES
    }


def _found(by_ability: dict[str, float]) -> float:
    return statistics.fmean(by_ability[one] for one in ABILITIES if one != "unknown")


def _subjects(way: Search, seeds: range) -> dict[str, float]:
    """What is answered, and what gets no answer where none is; by wording."""
    shares: dict[str, float] = {}
    for wording, other in (("same words", False), ("other words", True)):
        answered: list[bool] = []
        abstained: list[bool] = []
        for kind in (MACHINES, SERVICES):
            for seed in seeds:
                one, more = asyncio.run(marks(told(kind, seed, other=other), way))
                answered += one
                abstained += more
        shares[f"{wording}, answered"] = round(statistics.fmean(answered), 3)
        shares[f"{wording}, abstained"] = round(statistics.fmean(abstained), 3)
    return shares
