"""Pairs that models make: who writes, who scores, and that the same seed gives the same."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.pairing.many import paired
from events.errors import Malformed
from guardrails.budget import Budget
from tests.agents.data_generator.pairing.models import (
    Models,
    answers_of,
    desk,
    judging,
    prompt_of,
    right,
    rows,
    sent_to,
    writes,
)
from tests.guardrails.server import Asked, Said


async def test_the_verifier_of_a_type_that_decides_is_asked_and_no_judge(tmp_path: Path) -> None:
    async with desk(tmp_path, Models()) as at:
        made = await at.made(quantity=12)
        assert len(rows(made)) == 12
        for row in rows(made):
            assert right(row["prompt"], row["chosen"]) == 1
            assert right(row["prompt"], row["rejected"]) == 0
            assert row["gap"] == 1
        assert {one.scorer for one in made.fruitful} == {"verifier arithmetic_reasoning"}
        assert sent_to(at.server, "judge") == []


async def test_answers_have_temperatures_and_seeds_of_their_own(tmp_path: Path) -> None:
    async with desk(tmp_path, Models()) as at:
        await at.made(quantity=2, answers=5)
        first = [one for one in at.server.asked if prompt_of(one) == prompt_of(at.server.asked[0])]
        assert sorted(one.body["temperature"] for one in first) == [0.2, 0.2, 0.7, 1.0, 1.2]
        assert len({one.body["seed"] for one in first}) == 5


async def test_a_policy_is_given_the_prompt_and_nothing_else(tmp_path: Path) -> None:
    async with desk(tmp_path, Models()) as at:
        made = await at.made(quantity=3, told=False)
        known = {one.prompt for one in made.fruitful}
        messages = [one.body["messages"] for one in at.server.asked]
        assert all(len(one) == 1 and one[0]["role"] == "user" for one in messages)
        assert known <= {one[0]["content"] for one in messages}


async def test_a_judge_sees_the_answers_in_both_orders_and_their_mean_counts(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, Models()) as at:
        made = await at.made(quantity=4, scorer="judge", answers=2)
        assert {one.scorer for one in made.fruitful} == {"judge judge"}
        for one in made.fruitful:
            asked = [x for x in sent_to(at.server, "judge") if prompt_of(x) == one.prompt]
            shown = [[answer["text"] for answer in answers_of(x)] for x in asked]
            assert len(shown) == 2
            assert shown[0] == shown[1][::-1]


async def test_a_judge_who_likes_the_first_answer_best_says_nothing(tmp_path: Path) -> None:
    """Seen from both sides his scores are the same, or he is sure of nothing."""
    async with desk(tmp_path, Models(judge=judging(lambda *_: 1 / _[2]))) as at:
        made = await at.made(quantity=50, scorer="judge", answers=2, problems=200)
        assert made.fruitful == []
        assert made.ended == "hopeless"
        assert set(made.rejected) <= {"tied", "alike"}


async def test_a_judge_who_is_swayed_by_the_place_is_as_sure_as_in_the_worse_order(
    tmp_path: Path,
) -> None:
    swayed = judging(lambda p, text, place: 0.6 * right(p, text) + (0.4 if place == 1 else 0))
    async with desk(tmp_path, Models(judge=swayed)) as at:
        made = await at.made(quantity=4, scorer="judge", answers=2)
        found = rows(made)
        assert [row["gap"] for row in found] == [0.6] * 4
        assert [row["confidence"] for row in found] == [pytest.approx(0.2)] * 4
        assert all(right(row["prompt"], row["chosen"]) == 1 for row in found)


async def test_the_same_seed_gives_the_same_pairs_under_another_name(tmp_path: Path) -> None:
    async with desk(tmp_path, Models()) as at:
        one = await at.made("one.jsonl", dataset="d1")
        other = await at.made("other.jsonl", dataset="d2")
        another = await at.made("another.jsonl", seed=8)
        assert json.dumps(rows(one)) == json.dumps(rows(other))
        assert {row["prompt"] for row in rows(one)}.isdisjoint(
            row["prompt"] for row in rows(another)
        )


async def test_how_fast_answers_come_changes_nothing(tmp_path: Path) -> None:
    def late(asked: Asked) -> Said:
        said = writes(asked)
        said.delay = asked.body["seed"] % 7 / 300
        return said

    async with desk(tmp_path, Models()) as at:
        quick = await at.made(quantity=10)
    async with desk(tmp_path, Models(late)) as at:
        slow = await at.made("late.jsonl", quantity=10)
    assert rows(quick) == rows(slow)
    assert quick.rejected == slow.rejected


async def test_two_parts_share_no_prompt(tmp_path: Path) -> None:
    async with desk(tmp_path, Models()) as at:
        one = await at.made("one.jsonl", problems=12)
        other = await at.made("other.jsonl", part=2, first=12, problems=12)
    assert {row["prompt"] for row in rows(one)}.isdisjoint(row["prompt"] for row in rows(other))


async def test_for_people_there_are_answers_without_scores(tmp_path: Path) -> None:
    async with desk(tmp_path, Models()) as at:
        made = await at.made(quantity=5, scorer="people")
        assert len(made.fruitful) == 5
        assert all(one.row is None and len(one.texts) >= 2 for one in made.fruitful)
        assert sent_to(at.server, "judge") == []


async def test_who_resumes_makes_only_the_calls_that_were_in_flight(tmp_path: Path) -> None:
    async with desk(tmp_path, Models()) as at:
        whole = rows(await at.made("whole.jsonl", quantity=10, scorer="judge"))
        once = len(at.server.asked)
        at.server.asked.clear()
        with Journal(tmp_path / "cut.jsonl") as journal:
            work = asyncio.create_task(
                paired(at.plan(quantity=10, scorer="judge"), at.caller, journal, lambda _: None)
            )
            while journal.made < 20:
                await asyncio.sleep(0.001)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            flying = len(at.server.asked) - journal.made
        again = await at.made("cut.jsonl", quantity=10, scorer="judge")
        assert rows(again) == whole
        assert len(at.server.asked) <= once + flying
        assert flying <= 32


async def test_nobody_judges_his_own_answers(tmp_path: Path) -> None:
    async with desk(tmp_path, Models()) as at:
        with pytest.raises(Malformed, match="would judge its own answers"):
            at.plan(judge=at.writer.model_copy(update={"name": "judge"}))


async def test_a_budget_ends_the_part_with_what_there_is(tmp_path: Path) -> None:
    async with desk(tmp_path, Models(), price_out_per_1m=100.0) as at:
        made = await at.made(quantity=50, problems=100, budget=Budget(calls=42), in_flight=4)
        assert made.ended == "budget"
        assert len(at.server.asked) <= 42
        assert 1 <= len(rows(made)) < 50
        assert made.spent["calls"] == len(at.server.asked)
