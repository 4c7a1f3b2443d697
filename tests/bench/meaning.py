"""What an embedder that knows meanings adds: to the knowledge base, and to the search for leaks.

Forty things that people say, each with another thing of the same subject, among 650 facts of the
memory benchmark. Asked in other words, said again in other words, and, of the facts, in the
same words. The share of questions whose answer is the first hit, and is among the first ten.
Decontamination: how many of the forty are found when data says them again, and how many texts that
do not say them are taken for them; the bar was chosen on these forty.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from events.catalog.knowledge import KnowledgeAdded
from events.memory import MemoryStore
from events.store import append
from infra.knowledge import Keeper
from memory.edge import EdgeEngine
from memory.embedding import Embedder
from memory.index import Weights
from memory.lexical import LexicalEmbedder
from memory.library import Library
from memory.search import Question
from memory.sparse import of_query
from pipelines.data.contamination import Guarded
from tests.bench.results import Goal, Result
from tests.memory.direct import Direct
from tests.memory.knowledge.sayings import SAYINGS
from tests.memory.remembering.abilities import made
from tests.pipelines.data.prose import ASKED, SAID_OTHERWISE, asked

SHOWN = 10
Ask = Callable[[str], Awaitable[Sequence[str]]]


def measure(short: bool) -> Result:
    facts = [row["text"] for row in made(301, 15 if short else 50).rows]
    questions = _questions(short)
    figures: dict[str, list[float]] = {}
    notes: dict[str, Any] = {"items": 2 * len(SAYINGS) + len(set(facts))}
    for embedder, name in ((LexicalEmbedder(), "letters"), (Direct(), "MiniLM")):
        found = asyncio.run(_asked(embedder, facts, questions))
        for way, ranks in found.items():
            for kind, places in ranks.items():
                full = "words alone" if way == "words" else f"{name} {way}"
                figures[f"{full}, {kind}, first"] = [_share(places, 1)]
                figures[f"{full}, {kind}, first ten"] = [_share(places, SHOWN)]
    leaks = _leaks(100 if short else 300)
    notes |= leaks
    return Result(
        "questions whose answer is found",
        "share",
        {
            "words alone": "BM25",
            "letters": "the fallback embedder: dense alone, and hybrid as it is served (1:3)",
            "MiniLM": "the local embedder: dense alone, and hybrid as it is served (3:1)",
        },
        figures,
        [
            Goal("MiniLM hybrid, asked in other words, first ten",
                 figures["MiniLM hybrid, other words, first ten"][0], 0.95),
            Goal("paraphrases that runs of words miss, found", leaks["said again, found"], 0.5),
            Goal("false removals, same subject", leaks["same subject, removed"], 0.01, False),
            Goal("false removals, same template, other facts",
                 leaks["other facts, removed"], 0.01, False),
        ],
        notes,
    )  # fmt: skip


def _questions(short: bool) -> dict[str, list[tuple[str, str]]]:
    """By how they are worded: what is asked, and the text that answers."""
    memory = made(301, 15 if short else 50)
    texts = {row["id"]: row["text"] for row in memory.rows}
    same = [
        (one.text, texts[next(iter(one.needs))])
        for one in memory.questions
        if one.ability == "single"
    ]
    return {
        "other words": [(one.asked, one.text) for one in SAYINGS],
        "said again": [(one.reworded, one.text) for one in SAYINGS],
        "same words": random.Random("bench").sample(same, 40),
    }


async def _asked(
    embedder: Embedder, facts: Sequence[str], questions: dict[str, list[tuple[str, str]]]
) -> dict[str, dict[str, list[int | None]]]:
    """By way and wording, the place of each answer among the first ten."""
    store = MemoryStore()
    said = [one.text for one in SAYINGS] + [one.sibling for one in SAYINGS]
    for text in dict.fromkeys([*said, *facts]):
        await append(store, KnowledgeAdded(text=text), actor="bench")
    with tempfile.TemporaryDirectory() as folder:
        keeper = Keeper(store, Library(store, Path(folder), EdgeEngine(), embedder))
        await keeper.look()
        try:
            ways = _ways(keeper, embedder)
            return {
                way: {
                    kind: [_place(await ask(one), text) for one, text in some]
                    for kind, some in questions.items()
                }
                for way, ask in ways.items()
            }
        finally:
            await keeper.close()


def _ways(keeper: Keeper, embedder: Embedder) -> dict[str, Ask]:
    assert keeper.library.serving is not None
    index = keeper.library.serving.index

    async def words(question: str) -> list[str]:
        found = await index.query(None, of_query(question), weights=Weights(0, 1), limit=SHOWN)
        return [str(one.payload["text"]) for one in found]

    async def dense(question: str) -> list[str]:
        (vector,) = await embedder.embed([question], "query")
        found = await index.query(vector, None, weights=Weights(1, 0), limit=SHOWN)
        return [str(one.payload["text"]) for one in found]

    async def hybrid(question: str) -> list[str]:
        return [one.text for one in (await keeper.search(Question(question, SHOWN))).hits]

    return {"words": words, "dense": dense, "hybrid": hybrid}


def _place(found: Sequence[str], text: str) -> int | None:
    return found.index(text) + 1 if text in found else None


def _share(places: Sequence[int | None], within: int) -> float:
    return sum(one is not None and one <= within for one in places) / len(places)


def _leaks(many: int) -> dict[str, float]:
    """What is found of evaluation items by meaning, beyond what words tell."""
    embedder = Direct()

    def vectors(texts: Sequence[str]) -> Any:
        return np.array(asyncio.run(embedder.embed(texts, "passage")))

    def removed(items: Sequence[str], texts: Sequence[str], by_meaning: bool) -> float:
        kept = vectors(items)

        def nearest(some: Sequence[str]) -> list[tuple[int, float] | None]:
            alike = vectors(some) @ kept.T
            return [(int(row.argmax()), float(row.max())) for row in alike]

        found = Guarded(items).leaks(texts, nearest if by_meaning else None)
        return sum(map(bool, found)) / len(texts)

    items = [one.text for one in SAYINGS]
    facts = [ASKED.format(**one) for one in asked(1, many)]
    others = list(asked(2, many))
    fresh = [form.format(**one) for one in others for form in (ASKED, SAID_OTHERWISE)]
    again, siblings = [one.reworded for one in SAYINGS], [one.sibling for one in SAYINGS]
    before = removed(items, siblings, False)
    return {
        "said again, found by words": removed(items, again, False),
        "said again, found": removed(items, again, True),
        "same subject, removed by words": before,
        "same subject, removed": removed(items, siblings, True) - before,
        "other facts, removed": removed(facts, fresh, True),
        "other facts, texts": len(fresh),
    }
