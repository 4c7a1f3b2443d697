"""Structured answers over a real socket: down the ladder once, repaired once, validated always."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pydantic import BaseModel, Field

from guardrails.budget import Budget
from guardrails.caller import Caller, Message
from guardrails.endpoint import Rung
from guardrails.refusals import BudgetSpent, CallFailed
from tests.guardrails.server import (
    Asked,
    Behaviour,
    Said,
    Server,
    calls_tool,
    fails,
    in_order,
    rung_of,
    says,
)

ASK = [Message("system", "You add."), Message("user", "1 + 1?")]
GOOD = '{"total": 2, "why": "because"}'


class Sum(BaseModel):
    """An answer in a form."""

    total: int = Field(ge=0)
    why: str = "no reason"


def understands(*rungs: Rung, otherwise: Said | None = None) -> Behaviour:
    """A server that knows these rungs, and refuses the others or says something else."""

    def behave(asked: Asked) -> Said:
        if rung_of(asked) not in rungs:
            return otherwise or fails(400, "response_format is not supported")
        return calls_tool(asked, GOOD) if rung_of(asked) == "tool" else says(GOOD)

    return behave


async def asked_of(server: Server, times: int = 1, **fields: Any) -> list[Any]:
    caller = Caller([server.endpoint(**fields)])
    found: list[Any] = []
    for _ in range(times):
        try:
            found.append(await caller.ask("teacher", ASK, budget=Budget(), answer=Sum))
        except CallFailed as failure:
            found.append(failure)
    await caller.close()
    return found


@pytest.mark.parametrize(
    ("rung", "calls"), [("json_schema", 1), ("tool", 2), ("json_object", 3), ("text", 4)]
)
@pytest.mark.parametrize("ignored", [False, True])
async def test_the_first_rung_that_works_is_found_once_and_kept(
    rung: Rung, calls: int, ignored: bool
) -> None:
    prose = says("Two, I should think.") if ignored else None
    async with Server(understands(rung, otherwise=prose)) as server:
        first, second = await asked_of(server, times=2)
    assert (first.value, first.rung, first.attempts) == (Sum(total=2, why="because"), rung, calls)
    assert (second.value, second.rung, second.attempts) == (first.value, rung, 1)


async def test_a_rung_that_is_given_is_not_looked_for() -> None:
    async with Server(understands("tool")) as server:
        [answer] = await asked_of(server, rung="tool")
    assert (answer.rung, answer.attempts) == ("tool", 1)
    async with Server(understands("text")) as server:
        [failure] = await asked_of(server, rung="tool")
    assert (failure.kind, failure.status, len(server.asked)) == ("rejected", 400, 1)


async def test_what_each_rung_sends() -> None:
    prose = says("Two.")
    async with Server(understands("text", otherwise=prose)) as server:
        await asked_of(server)
    strict, tool, loose, text = [asked.body for asked in server.asked]
    form = strict["response_format"]["json_schema"]
    assert (form["name"], form["strict"]) == ("Sum", True)
    assert form["schema"]["required"] == ["total", "why"]
    assert form["schema"]["additionalProperties"] is False
    assert tool["tool_choice"] == {"type": "function", "function": {"name": "Sum"}}
    assert tool["tools"][0]["function"]["parameters"] == form["schema"]
    assert loose["response_format"] == {"type": "json_object"}
    assert "response_format" not in text
    for body, told in ((strict, False), (tool, False), (loose, True), (text, True)):
        assert ('"total"' in body["messages"][0]["content"]) == told
        assert [one["role"] for one in body["messages"]] == ["system", "user"]


async def test_one_repair_round_tells_the_model_what_is_wrong() -> None:
    bad = '{"total": -1, "why": 3}'
    async with Server(in_order(says(GOOD), says(bad), says(GOOD))) as server:
        _, repaired = await asked_of(server, times=2)
    assert (repaired.value, repaired.attempts, len(server.asked)) == (Sum(total=2, why="because"),
                                                                      2, 3)  # fmt: skip
    said, complaint = server.asked[-1].body["messages"][-2:]
    assert (said["role"], said["content"]) == ("assistant", bad)
    assert "total: Input should be greater than or equal to 0" in complaint["content"]
    assert "why: Input should be a valid string" in complaint["content"]


async def test_what_cannot_be_repaired_fails_with_what_is_wrong() -> None:
    async with Server(in_order(says(GOOD), says('{"total": -1}'))) as server:
        _, failure = await asked_of(server, times=2)
    assert (failure.kind, len(server.asked)) == ("rubbish", 3)
    assert failure.said == '{"total": -1}'
    assert "greater than or equal to 0" in str(failure)


async def test_a_teacher_of_rubbish_costs_the_ladder_once_and_two_calls_from_then_on() -> None:
    async with Server(in_order(says("bla {bla} [[{"))) as server:
        failures = await asked_of(server, times=3)
    assert {failure.kind for failure in failures} == {"rubbish"}
    assert len(server.asked) == (4 + 1) + 2 + 2


async def test_a_server_that_forgets_a_rung_is_looked_at_anew_after_three_failures() -> None:
    def forgets(asked: Asked) -> Said:
        if rung_of(asked) == "json_schema" and asked.number > 1:
            return says("I do not know schemas any more.")
        return calls_tool(asked, GOOD) if rung_of(asked) == "tool" else says(GOOD)

    async with Server(forgets) as server:
        found = await asked_of(server, times=6)
    assert [getattr(one, "kind", None) or one.rung for one in found] == [
        "json_schema",
        *["rubbish"] * 3,
        *["tool"] * 2,
    ]


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Here you are:\n\n{GOOD}\nHope that helps!",
        f"<think>maybe {{\"total\": 5}} or so</think>\n{GOOD}",
        f"Of the set {{1, 2}} the sum is {GOOD}.",
        f'{{"other": 1}} {GOOD}',
    ],
)  # fmt: skip
async def test_an_answer_is_found_in_what_stands_around_it(text: str) -> None:
    async with Server(in_order(says(text))) as server:
        [answer] = await asked_of(server, rung="text")
    assert answer.value == Sum(total=2, why="because")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{" * 100_000,
        '{"total":' * 50_000,
        '{"total": NaN}',
        '{"total": 1e400}',
        '{"total": ' + "9" * 5000 + "}",
        '[{"total": "two"}]',
        "\\u0000{\x00}",
    ],
)
async def test_a_broken_answer_of_any_kind_is_rubbish(text: str) -> None:
    async with Server(in_order(says(text))) as server:
        [failure] = await asked_of(server, rung="text")
    assert (failure.kind, len(server.asked)) == ("rubbish", 2)
    assert len(str(failure)) < 2000


@pytest.mark.parametrize(
    "refusal",
    [
        says(None, refusal="No."),
        says("I'm sorry, but I can't help with that."),
        says("I cannot assist with this request."),
        says("Unfortunately, I am not able to do that."),
    ],
)
async def test_a_refusal_is_not_asked_again_and_moves_no_rung(refusal: Said) -> None:
    async with Server(in_order(refusal, says(GOOD))) as server:
        failure, answer = await asked_of(server, times=2)
    assert failure.kind == "refused"
    assert (answer.rung, len(server.asked)) == ("json_schema", 2)


async def test_politeness_is_no_refusal() -> None:
    async with Server(in_order(says(f"I'm sorry for the delay! Here it is: {GOOD}"))) as server:
        [answer] = await asked_of(server, rung="text")
    assert answer.value is not None


async def test_a_tool_call_that_nobody_asked_for_is_read_all_the_same() -> None:
    call = {"type": "function", "function": {"name": "x", "arguments": json.loads(GOOD)}}
    async with Server(in_order(says(None, tool_calls=[call]))) as server:
        [answer] = await asked_of(server)
    assert (answer.value.total, answer.rung) == (2, "json_schema")


async def test_an_answer_that_was_cut_off_is_told_so() -> None:
    async with Server(in_order(says('{"total": 2, "why": "beca', finish="length"))) as server:
        [failure] = await asked_of(server, rung="json_schema")
    assert "cut off" in str(failure)


async def test_while_the_first_ask_finds_the_rung_the_others_wait_for_it() -> None:
    async with Server(understands("json_object")) as server:
        caller = Caller([server.endpoint(concurrency=30)])
        answers = await asyncio.gather(
            *(caller.ask("teacher", ASK, budget=Budget(), answer=Sum) for _ in range(30))
        )
        await caller.close()
    assert {answer.rung for answer in answers} == {"json_object"}
    assert len(server.asked) == 30 + 2


async def test_a_first_ask_that_fails_does_not_hold_the_others() -> None:
    late = Said(delay=30)
    async with Server(in_order(late, late, says(GOOD))) as server:
        caller = Caller([server.endpoint(timeout_s=0.5, concurrency=30)])
        found = await asyncio.gather(
            *(caller.ask("teacher", ASK, budget=Budget(), answer=Sum) for _ in range(9)),
            return_exceptions=True,
        )
        await caller.close()
    assert [type(one).__name__ for one in found] == ["CallFailed"] + ["Answer"] * 8


async def test_who_has_less_time_than_the_first_ask_takes_does_not_wait_for_it() -> None:
    async with Server(in_order(Said(delay=30))) as server:
        caller = Caller([server.endpoint(timeout_s=20)])
        first = asyncio.create_task(
            caller.ask("teacher", ASK, budget=Budget(), answer=Sum),
        )
        while not server.asked:
            await asyncio.sleep(0.005)
        hasty = Budget(seconds=0.1)
        with pytest.raises(BudgetSpent):
            await caller.ask("teacher", ASK, budget=hasty, answer=Sum)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await caller.close()
    assert len(server.asked) == 1


async def test_a_validator_that_stumbles_is_an_answer_that_is_wrong() -> None:
    class Stumbles(BaseModel):
        total: int

        def model_post_init(self, _: object) -> None:
            raise KeyError("x")

    async with Server(in_order(says(GOOD))) as server:
        caller = Caller([server.endpoint(rung="text")])
        with pytest.raises(CallFailed, match="KeyError"):
            await caller.ask("teacher", ASK, budget=Budget(), answer=Stumbles)
        await caller.close()
