"""Vectors over a real socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrails.budget import Budget
from guardrails.caller import Call, Caller
from guardrails.refusals import BudgetSpent, CallFailed
from tests.guardrails.server import Asked, Said, Server, fails, in_order


def vectors(asked: Asked, **usage: Any) -> Said:
    """The length of each text, last text first."""
    texts = asked.body["input"]
    data = [
        {"object": "embedding", "index": at, "embedding": [float(len(text)), 0.5]}
        for at, text in enumerate(texts)
    ]
    usage = usage or {"prompt_tokens": len(texts)}
    return Said(json.dumps({"data": data[::-1], "model": "m", "usage": usage}).encode())


async def test_each_text_gets_its_vector_in_order_and_in_batches() -> None:
    calls: list[Call] = []
    async with Server(vectors) as server:
        caller = Caller([server.endpoint(price_in_per_1m=1.0)], calls.append)
        budget = Budget()
        found = await caller.embed("teacher", ["x" * at for at in range(1, 151)], budget=budget)
        assert await caller.embed("teacher", [], budget=budget) == []
        await caller.close()
    assert [vector[0] for vector in found] == [float(at) for at in range(1, 151)]
    assert [len(asked.body["input"]) for asked in server.asked] == [64, 64, 22]
    assert server.asked[0].path == "/v1/embeddings"
    assert server.asked[0].body["encoding_format"] == "float"
    assert budget.spent()["tokens"] == 150
    assert budget.spent()["money"] == pytest.approx(150e-6)
    assert calls[0].response == {"model": "m", "usage": {"prompt_tokens": 64}}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        [{"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
        [{"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": "AAAA"}],
        [{"index": 0, "embedding": [1.0]}, {"index": 7, "embedding": [1.0]}],
    ],
)
async def test_vectors_that_do_not_fit_the_texts_are_rubbish(data: object) -> None:
    async with Server(in_order(Said(json.dumps({"data": data}).encode()))) as server:
        caller = Caller([server.endpoint()])
        with pytest.raises(CallFailed) as caught:
            await caller.embed("teacher", ["a", "b"], budget=Budget())
        await caller.close()
    assert (caught.value.kind, len(server.asked)) == ("rubbish", 2)
    assert caught.value.where == "endpoint teacher"


async def test_embedding_is_tried_again_and_stops_where_the_budget_does() -> None:
    async with Server(in_order(fails(503), vectors)) as server:
        caller, budget = Caller([server.endpoint()]), Budget(tokens=1500)
        await caller.embed("teacher", ["x" * 20] * 64, budget=budget)
        with pytest.raises(BudgetSpent):
            await caller.embed("teacher", ["x" * 40] * 64, budget=budget)
        await caller.close()
    assert len(server.asked) == 2
