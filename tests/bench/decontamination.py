"""Documents searched for evaluation items: the look that everything passes, and the whole search.

10,000 items of 60 words, documents of 60 words that share no origin with them. Beside it the same
search with runs kept as texts in one set, as it is commonly written. Memory is what the search of
all documents takes beyond the items, which must not grow with the documents.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable, Sequence

from pipelines.data.contamination import RUN, Guarded
from pipelines.data.near import repeated
from pipelines.data.words import words
from tests.bench.results import Goal, Result
from tests.bench.rounds import interleaved
from tests.pipelines.data.prose import REWORDED, one_word_changed, texts

ITEMS = 10_000


def measure(short: bool) -> Result:
    rounds, many = (3, 5_000) if short else (7, 20_000)
    items, documents = texts(1, ITEMS), texts(2, many)
    guarded = Guarded(items)
    runs = {run for item in items for run in _runs(item)}

    def look() -> float:
        return _speed(documents, guarded.suspected)

    def plainly() -> float:
        return _speed(documents, lambda text: any(run in runs for run in _runs(text)))

    def whole() -> float:
        return _speed(documents[: many // 10], lambda text: guarded.leak(text) is not None)

    def near() -> float:
        began = time.process_time()
        assert not any(repeated(documents))
        return many / (time.process_time() - began)

    figures = interleaved(
        {"n-grams": look, "runs as texts": plainly, "whole search": whole, "duplicates": near},
        rounds,
    )
    middle = sorted(figures["n-grams"])[rounds // 2]
    luck = random.Random("bench")
    found = [
        guarded.leak(say(items[number], luck)) is not None
        for number in range(200)
        for say in REWORDED.values()
    ]
    planted = documents[:2_000]
    edited = [one_word_changed(text, luck) for text in planted[:500]]
    near_found = repeated([*planted, *edited])
    return Result(
        f"searching documents of 60 words for {ITEMS:,} evaluation items",
        "documents/s",
        {
            "n-grams": "runs of eight words, in a process of its own, one core",
            "runs as texts": "the same with the runs as texts in a set",
            "whole search": "n-grams, then rare words, then comparison",
            "duplicates": "near duplicates among the documents themselves",
        },
        figures,
        [
            Goal("n-gram stage, documents/s", middle, 20_000, True,
                 (min(figures["n-grams"]), max(figures["n-grams"]))),
            Goal("memory of a search, MB", _memory(guarded, documents), 8, False),
            Goal("reworded items found", sum(found) / len(found), 0.95),
            Goal("false alarms", sum(map(bool, guarded.leaks(documents[:2_000]))) / 2_000, 0.01,
                 False),
            Goal("near duplicates found", sum(map(bool, near_found[2_000:])) / 500, 0.99),
            Goal("false removals", sum(map(bool, near_found[:2_000])) / 2_000, 0.01, False),
        ],
    )  # fmt: skip


def _runs(text: str) -> list[str]:
    read = words(text)
    return [" ".join(read[place : place + RUN]) for place in range(len(read) - RUN + 1)]


def _speed(documents: Sequence[str], look: Callable[[str], bool]) -> float:
    """By the time of this processor, so that others on the machine do not count."""
    began = time.process_time()
    assert not any(map(look, documents))
    return len(documents) / (time.process_time() - began)


def _memory(guarded: Guarded, documents: Sequence[str]) -> float:
    tracemalloc.start()
    try:
        assert not any(map(guarded.suspected, documents))
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
