"""Asking a model over a real socket: what goes out, what comes back, and what is kept of it."""

from __future__ import annotations

import asyncio
import json

import pytest

from events.errors import Malformed, NotFound
from guardrails.budget import Budget
from guardrails.caller import Call, Caller, Message
from tests.guardrails.asks import HELLO, Slept, failure
from tests.guardrails.server import Asked, Said, Server, fails, in_order, says


async def test_an_answer_comes_back_with_what_it_cost() -> None:
    async with Server(in_order(says("Hi."))) as server:
        caller = Caller([server.endpoint(price_in_per_1m=1.0, price_out_per_1m=2.0)])
        budget = Budget()
        answer = await caller.ask("teacher", HELLO, budget=budget, seed=3, max_tokens=50)
        await caller.close()
    assert (answer.text, answer.value, answer.rung) == ("Hi.", None, "text")
    assert (answer.tokens_in, answer.tokens_out, answer.attempts) == (7, 5, 1)
    assert answer.money == pytest.approx(17e-6)
    assert budget.spent()["tokens"] == 12
    assert budget.spent()["money"] == pytest.approx(17e-6)
    [asked] = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello?"},
        ],
        "temperature": 0.0,
        "max_tokens": 50,
        "seed": 3,
    }


@pytest.mark.parametrize(
    "usage",
    [
        None,
        "much",
        {},
        {"prompt_tokens": -5, "completion_tokens": True},
        {"prompt_tokens": 1e3, "completion_tokens": "5"},
        {"prompt_tokens": 10**30, "completion_tokens": [1]},
    ],
)
async def test_a_bill_that_cannot_be_read_counts_every_byte(usage: object) -> None:
    async with Server(in_order(says("Hi.", usage=usage))) as server:
        caller = Caller([server.endpoint()])
        answer = await caller.ask("teacher", HELLO, budget=Budget(), max_tokens=100)
        await caller.close()
    assert answer.tokens_in == len("Be brief.Hello?") + 32
    assert answer.tokens_out == 100


async def test_a_refusal_is_told_as_one() -> None:
    async with Server(in_order(says(None, refusal="I will not."))) as server:
        caller = Caller([server.endpoint()])
        found = await failure(caller)
        await caller.close()
    assert (found.kind, len(server.asked)) == ("refused", 1)
    assert "I will not." in str(found)


async def test_what_a_filter_held_back_is_a_refusal() -> None:
    async with Server(in_order(says("", finish="content_filter"))) as server:
        caller = Caller([server.endpoint()])
        assert (await failure(caller)).kind == "refused"
        await caller.close()


async def test_a_server_that_wants_another_parameter_is_asked_its_way_from_then_on() -> None:
    def modern(asked: Asked) -> Said:
        if "max_tokens" in asked.body:
            return fails(400, "Unsupported parameter: 'max_tokens'", param="max_tokens")
        if "temperature" in asked.body:
            return fails(400, "Unsupported value: 'temperature' does not support 0.0")
        return says("Hi.")

    async with Server(modern) as server:
        caller = Caller([server.endpoint()])
        first = await caller.ask("teacher", HELLO, budget=Budget(), max_tokens=9)
        second = await caller.ask("teacher", HELLO, budget=Budget(), max_tokens=9)
        await caller.close()
    assert (first.attempts, second.attempts) == (3, 1)
    assert server.asked[-1].body["max_completion_tokens"] == 9


async def test_every_call_is_recorded_as_json_failed_ones_too() -> None:
    calls: list[Call] = []
    async with Server(in_order(fails(500, "no"), says("Hi."))) as server:
        caller = Caller([server.endpoint()], calls.append, sleep=Slept())
        await caller.ask("teacher", HELLO, budget=Budget())
        await caller.close()
    json.dumps([call._asdict() for call in calls])
    bad, good = calls
    assert (bad.error, bad.response) == (
        "status 500 no",
        {"status": 500, "message": "no", "code": "", "param": ""},
    )
    assert (good.error, good.answer, good.attempt, good.tokens_out) == ("", "Hi.", 2, 5)
    assert good.request["messages"][1]["content"] == "Hello?"
    assert good.response is not None
    assert good.response["usage"] == {"prompt_tokens": 7, "completion_tokens": 5}
    assert good.started > 1.7e9


async def test_a_call_that_is_cancelled_is_recorded_and_paid_for() -> None:
    calls: list[Call] = []
    async with Server(in_order(Said(delay=30))) as server:
        caller, budget = Caller([server.endpoint()], calls.append), Budget()
        asking = asyncio.create_task(caller.ask("teacher", HELLO, budget=budget))
        while not server.asked:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await caller.close()
    assert [call.error for call in calls] == ["CancelledError"]
    assert budget.spent()["tokens"] > 2048


async def test_an_endpoint_that_is_not_there_is_told_with_what_was_meant() -> None:
    async with Server(in_order(says("Hi."))) as server:
        caller = Caller([server.endpoint()])
        with pytest.raises(NotFound, match="did you mean 'teacher'"):
            await caller.ask("teacer", HELLO, budget=Budget())
        with pytest.raises(Malformed, match="the same name"):
            Caller([server.endpoint(), server.endpoint()])


async def test_half_a_character_in_a_question_does_not_stop_it() -> None:
    async with Server(in_order(says("Hi."))) as server:
        caller = Caller([server.endpoint()])
        await caller.ask("teacher", [Message("user", "a\ud800b")], budget=Budget())
        await caller.close()
    assert server.asked[0].body["messages"][0]["content"] == "a?b"
