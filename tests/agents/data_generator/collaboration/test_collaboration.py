"""Three models make rows: right ones, the same for the same seed, with all that was said."""

from __future__ import annotations

import json
import random
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from events.errors import Malformed
from guardrails.budget import Budget
from tests.agents.data_generator.collaboration.models import (
    APPROVES,
    KIND,
    RIGHT,
    desk,
    judging,
    sent_to,
    solution,
    teaching,
    told,
    transcript,
    wrong,
)
from tests.guardrails.server import Asked, Behaviour, Said
from trainers.model_types.finding import model_type
from trainers.model_types.kind import problem_of
from trainers.sandbox.choose import Unprotected
from trainers.sandbox.sandbox import sandbox


def late(behave: Behaviour, seed: int, seconds: float = 0.02) -> Behaviour:
    """The same, but each answer takes another time."""
    luck = random.Random(seed)

    def behave_late(asked: Asked) -> Said:
        said = behave(asked)
        said.delay = luck.random() * seconds
        return said

    return behave_late


async def test_rows_are_right_and_their_rewards_sum_to_one(tmp_path: Path) -> None:
    async with desk(tmp_path, RIGHT, APPROVES) as at:
        made = await at.made(quantity=12)
    assert (len(made.rows), made.rejected, made.ended) == (12, {}, "")
    assert len({row["prompt"] for row in made.rows}) == 12
    for row in made.rows:
        assert list(row) == ["prompt", "completion", "answer", "difficulty", "steps", "outcome"]
        assert KIND.verify(problem_of(row), row["completion"]).correct
        assert sum(step["reward"] for step in row["steps"]) == 1
    assert at.told[-1] == {"rows": 12, "of": 12}


async def test_beside_each_row_stands_where_it_came_from(tmp_path: Path) -> None:
    async with desk(tmp_path, RIGHT, judging(0.9)) as at:
        made = await at.made(quantity=2)
    assert made.provenance == [
        {
            "source": "synthetic",
            "method": "collaboration",
            "session": f"d1/1/{place}",
            "licence": "generated",
            "model": "teacher",
            "verifier": "verifier",
            "score": 0.9,
            "cites": [],
        }
        for place in range(2)
    ]


async def test_the_transcript_has_what_every_node_was_given_and_gave(tmp_path: Path) -> None:
    async with desk(tmp_path, RIGHT, APPROVES) as at:
        made = await at.made(quantity=3)
    lines = transcript(made)
    assert [(one["session"], one["node"]) for one in lines] == [
        (f"d1/1/{place}", node)
        for place in range(3)
        for node in ("retrieve", "plan", "verify", "end")
    ]
    plan, verify = lines[1], lines[2]
    assert made.rows[0]["prompt"] in plan["input"]["messages"][-1]["text"]
    assert json.loads(plan["output"]["answer"]["text"]) == solution(made.rows[0]["prompt"])
    assert verify["output"]["answer"]["value"] == {"score": 1.0, "issues": []}


async def test_the_same_seed_makes_the_same_bytes_however_slow_the_answers_are(
    tmp_path: Path,
) -> None:
    async def bytes_of(name: str, seed: int, slow: int) -> tuple[str, bytes]:
        turns = count()

        def sometimes_wrong(prompt: str) -> dict[str, Any]:
            next(turns)
            return wrong(prompt) if hash_of(prompt) % 3 == 0 else solution(prompt)

        async with desk(tmp_path, late(teaching(sometimes_wrong), slow), APPROVES) as at:
            made = await at.made(name, quantity=10, seed=seed, in_flight=4)
        assert len(made.rows) == 10
        assert made.rejected["wrong"] > 0
        assert next(turns) > 10
        return json.dumps([made.rows, made.provenance, made.rejected]), made.transcript.read_bytes()

    first, second = await bytes_of("a.jsonl", 7, 1), await bytes_of("b.jsonl", 7, 2)
    assert first == second
    assert (await bytes_of("c.jsonl", 8, 1))[0] != first[0]


def hash_of(prompt: str) -> int:
    return sum(prompt.encode())


async def test_asking_for_many_problems_at_once_makes_the_same_rows(tmp_path: Path) -> None:
    async with desk(tmp_path, RIGHT, APPROVES) as at:
        single = await at.made("one.jsonl", quantity=10)
        calls = len(at.server.asked)
        several = await at.made("many.jsonl", quantity=10, together=4)
    assert several.rows == single.rows
    assert (calls, len(at.server.asked) - calls) == (20, 6)
    assert [one["session"] for one in several.provenance][3:5] == ["d1/1/0", "d1/1/1"]


async def test_of_many_problems_only_the_wrong_ones_are_asked_again(tmp_path: Path) -> None:
    seen: list[str] = []

    def wrong_once(prompt: str) -> dict[str, Any]:
        seen.append(prompt)
        return wrong(prompt) if len(seen) in (2, 3) else solution(prompt)

    async with desk(tmp_path, teaching(wrong_once), APPROVES) as at:
        made = await at.made(quantity=4, together=4)
    assert len(made.rows) == 4
    assert seen[4:] == seen[1:3]
    assert len(sent_to(at.server, "verifier")) == 2


async def test_a_teacher_is_told_what_was_wrong_and_may_mend_it(tmp_path: Path) -> None:
    def mends(asked: Asked) -> Said:
        return (RIGHT if "is not the sum" in told(asked) else teaching(wrong))(asked)

    async with desk(tmp_path, mends, APPROVES) as at:
        made = await at.made(quantity=2)
    assert len(made.rows) == 2
    assert (len(sent_to(at.server, "teacher")), len(sent_to(at.server, "verifier"))) == (4, 2)


async def test_after_three_regenerations_a_problem_is_rejected(tmp_path: Path) -> None:
    async with desk(tmp_path, teaching(wrong), APPROVES) as at:
        made = await at.made(quantity=2, problems=3)
    assert (made.rows, made.rejected, made.tried) == ([], {"wrong": 3}, 3)
    assert made.refusals[0].issues == ("7 is not the sum",)
    assert len(sent_to(at.server, "teacher")) == 3 * 4
    assert sent_to(at.server, "verifier") == []


@pytest.mark.parametrize(("score", "rows"), [(0.7, 2), (0.69, 0), (-3.0, 0), (55.0, 2)])
async def test_a_score_of_seven_tenths_is_the_least(
    tmp_path: Path, score: float, rows: int
) -> None:
    async with desk(tmp_path, RIGHT, judging(score, "not convinced")) as at:
        made = await at.made(quantity=2, problems=2)
    assert len(made.rows) == rows
    assert made.rejected == ({} if rows else {"low_score": 2})
    assert all(one["score"] <= 1 for one in made.provenance)
    if not rows:
        assert "not convinced" in made.refusals[0].issues
        assert "not convinced" in told(sent_to(at.server, "teacher")[-1])


async def test_nobody_marks_his_own_work(tmp_path: Path) -> None:
    async with desk(tmp_path, RIGHT, APPROVES) as at:
        twin = at.teacher.model_copy(update={"name": "another"})
        with pytest.raises(Malformed, match="would verify its own work"):
            at.plan(verifier=twin)
        with pytest.raises(Malformed, match="would verify its own work"):
            at.plan(verifier=at.verifier.model_copy(update={"name": "teacher"}))


async def test_parts_of_one_seed_share_no_problem(tmp_path: Path) -> None:
    async with desk(tmp_path, RIGHT, APPROVES) as at:
        whole = await at.made("w.jsonl", quantity=8)
        parts = [
            await at.made(f"{first}.jsonl", quantity=4, first=first, problems=4) for first in (0, 4)
        ]
    assert [row for part in parts for row in part.rows] == whole.rows


async def test_a_type_that_runs_out_of_problems_says_so(tmp_path: Path) -> None:
    async with desk(tmp_path, RIGHT, APPROVES) as at:
        made = await at.made(quantity=500, difficulty=0.0, together=100)
    assert (made.ended, made.rejected) == ("exhausted", {})
    assert 40 < len(made.rows) <= 100


async def test_no_more_sessions_than_asked_for_are_under_way(tmp_path: Path) -> None:
    async with desk(tmp_path, late(RIGHT, 1, 0.2), late(APPROVES, 2, 0.2)) as at:
        await at.made(quantity=20, in_flight=5)
        assert at.server.most_in_flight == 5


async def test_what_was_spent_is_told(tmp_path: Path) -> None:
    async with desk(tmp_path, RIGHT, APPROVES) as at:
        made = await at.made(quantity=3, budget=Budget(calls=6))
    assert (made.spent["calls"], made.ended, len(made.rows)) == (6, "", 3)


async def test_programs_are_run_before_they_are_believed(tmp_path: Path) -> None:
    try:
        sandbox()
    except Unprotected as why:
        pytest.skip(str(why))
    kind = model_type("code_generation")
    seen: set[str] = set()

    def second_time_right(prompt: str) -> dict[str, Any]:
        made = solution(prompt, kind)
        if prompt not in seen:
            seen.add(prompt)
            variable = prompt[2]
            code = f"def f({variable}):\n return 123456"
            made["steps"][-1]["action"], made["expected_outcome"] = f"={code}", code
        return made

    async with desk(tmp_path, teaching(second_time_right), APPROVES) as at:
        made = await at.made(quantity=2, type=kind)
        assert len(sent_to(at.server, "teacher")) == 4
        assert len(sent_to(at.server, "verifier")) == 2
    assert all("123456" not in row["completion"] for row in made.rows)
    assert len(made.rows) == 2
