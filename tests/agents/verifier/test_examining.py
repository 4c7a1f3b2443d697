"""The worker of examinations: what is asked of whom, how it is counted, what is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from agents.verifier.workers.examining import Examiner, failed
from agents.verifier.workers.examples import LARGEST, examined
from agents.verifier.workers.ports import Answer, Asked, Say
from agents.verifier.workers.questions import questions
from events.artifacts import Artifacts
from events.catalog.examinations import ExaminationRequested, SuiteMeasured
from events.catalog.training import Artifact
from events.catalog.verification import ModelVerified, VerificationFailed
from events.errors import LogUnavailable, Malformed, NotFound
from events.fact import Fact
from pipelines.suites.tasks import task_rows
from tests.agents.verifier.looks import artifact
from tests.house.source import ROOT
from trainers.model_types import model_type
from trainers.model_types.kind import held_out

SUMS = model_type("arithmetic_reasoning")
GOOD, BAD = artifact(1), artifact(2)


class Answering:
    """Models that are known: the good one is always right, the bad one where nothing is carried."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self.asked: list[tuple[str, list[dict[str, Any]]]] = []

    async def answers(self, asked: Asked, say: Say) -> Sequence[Answer]:
        rows = [json.loads(line) for line in self._artifacts.read(asked.rows.sha256).splitlines()]
        self.asked.append((asked.job, rows))
        say({"job": asked.job})
        right = [asked.model == GOOD or not _carries(row["prompt"]) for row in rows]
        return [Answer(float(one), one) for one in right]

    async def task(self, asked: Asked, say: Say) -> Sequence[Answer]:
        return await self.answers(asked, say)

    def rows(self, task: str) -> Sequence[Mapping[str, Any]]:
        return task_rows(ROOT / "benchmarks" / "tasks", task)


def _carries(prompt: str) -> bool:
    one, _, other = prompt.rstrip("#").partition("+")
    if not (one.isdigit() and other.isdigit()):
        return True
    return any(int(a) + int(b) > 9 for a, b in zip(one[::-1], other[::-1], strict=False))


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(str(tmp_path / "artifacts"))


def request(**given: Any) -> ExaminationRequested:
    return ExaminationRequested.model_validate(
        {
            "verification": "v1", "attempt": 1, "role": "sums", "run": "run1",
            "model_type": "arithmetic_reasoning", "model": BAD, "baseline": GOOD,
            "suites": ("fixed", "fresh"), "items": 60, "seed": 7, **given,
        }
    )  # fmt: skip


def verified(artifacts: Artifacts, asked: ExaminationRequested) -> ModelVerified:
    examiner = Examiner(Answering(artifacts), artifacts)
    return asyncio.run(examiner.outcome(asked, lambda _: None))


def suite(found: ModelVerified, name: str) -> SuiteMeasured:
    (one,) = [each for each in found.suites if each.suite == name]
    return one


def rows(artifacts: Artifacts, one: Artifact) -> list[dict[str, Any]]:
    return [json.loads(line) for line in artifacts.read(one.sha256).splitlines()]


def test_both_models_answer_the_same_items_and_every_item_is_counted(artifacts: Artifacts) -> None:
    found = verified(artifacts, request())
    assert [one.suite for one in found.suites] == ["fixed", "fresh"]
    fresh = suite(found, "fresh")
    assert (fresh.compared, fresh.score.n) == ("baseline", 60)
    assert sum(cell.n for cell in fresh.cells) == 60
    assert {(cell.after, cell.before) for cell in fresh.cells} == {(0.0, 1.0), (1.0, 1.0)}
    assert fresh.retention is not None
    assert fresh.retention.value == pytest.approx(fresh.score.value)
    assert (found.n, 0 < found.wrong < 120) == (120, True)
    by_area = {one.area: one for one in found.areas}
    assert by_area["sums with no carry"].wrong == 0
    assert by_area["sums with two carries"].wrong == by_area["sums with two carries"].n


def test_the_results_are_kept_item_by_item(artifacts: Artifacts) -> None:
    found = verified(artifacts, request())
    kinds = {one.kind: rows(artifacts, one) for one in found.artifacts}
    assert {kind: len(some) for kind, some in kinds.items()} == {"items": 120, "items.fixed": 60}
    one = kinds["items"][0]
    assert set(one) == {"suite", "problem", "prompt", "score", "right", "area", "baseline"}


def test_a_model_that_was_looked_at_before_is_compared_with_itself(artifacts: Artifacts) -> None:
    (before,) = [
        one for one in verified(artifacts, request(model=GOOD)).artifacts
        if one.kind == "items.fixed"
    ]  # fmt: skip
    found = verified(artifacts, request(before=before))
    assert suite(found, "fixed").compared == "itself"
    assert suite(found, "fixed").other is not None
    assert suite(found, "fresh").compared == "baseline"


def test_without_a_baseline_there_are_scores_and_nothing_is_compared(artifacts: Artifacts) -> None:
    found = verified(artifacts, request(baseline=None))
    assert {one.compared for one in found.suites} == {""}
    assert not any(one.cells for one in found.suites)


def test_a_benchmark_is_answered_by_both_and_its_subjects_are_areas(artifacts: Artifacts) -> None:
    found = verified(artifacts, request(suites=("task.school_choices",)))
    one = suite(found, "task.school_choices")
    assert (one.score.value, one.score.n, one.compared) == (0.0, 12, "baseline")
    assert "questions of nature" in {each.area for each in found.areas}


def test_the_fixed_suite_is_the_same_for_ever_and_fresh_problems_are_others() -> None:
    one, other = (questions(SUMS, ("fixed", "fresh"), 40, seed, ()) for seed in (1, 2))
    fixed = [each.problem for each in one if each.suite == "fixed"]
    assert fixed == [each.problem for each in other if each.suite == "fixed"]
    longer = [each.problem for each in questions(SUMS, ("fixed",), 80, 1, ())]
    assert longer[:40] == fixed
    prompts = [each.problem.prompt for each in (*one, *other) if each.suite == "fresh"]
    assert not {each.prompt for each in fixed} & set(prompts)
    assert all(held_out(prompt) for prompt in prompts)
    assert len(set(prompts)) > 70


def examples(*more: Any) -> bytes:
    solved = []
    for one, _ in zip(SUMS.problems(3), range(30), strict=False):
        trajectory = SUMS.solve(one)
        steps = [step._asdict() for step in trajectory.steps]
        solved.append({"prompt": one.prompt, "steps": steps, "outcome": trajectory.outcome})
    lines = [one if isinstance(one, str) else json.dumps(one) for one in (*solved, *more)]
    return "\n".join(lines).encode()


def test_examples_that_the_types_verifier_finds_wrong_are_not_trusted() -> None:
    right = SUMS.completion(SUMS.solve(next(SUMS.problems(1))))
    found = examined(
        SUMS,
        examples(
            {"prompt": "111+222#", "completion": right},
            {"prompt": "what is love#", "completion": right},
            {"prompt": "1+2#"},
            {"prompt": "1+2#", "steps": [{"title": 1}]},
            "not json",
            "[]",
            "[" * 50_000,
            '"' + "x" * 200_000 + '"',
        ),
        seed=1,
    )
    assert found.found.valid == 30
    assert found.found.invalid == {
        "wrong": 1, "no_problem": 2, "no_answer": 1, "unreadable": 3, "too_long": 1,
    }  # fmt: skip
    assert {one["line"] for one in found.refused} == set(range(31, 39))


def test_a_file_of_examples_has_an_end() -> None:
    with pytest.raises(Malformed, match="too large"):
        examined(SUMS, b"x" * (LARGEST + 1), seed=1)


def test_a_model_answers_problems_like_its_examples_but_they_count_for_nothing_else(
    artifacts: Artifacts,
) -> None:
    ref = artifacts.put(examples("not json"))
    kept = Artifact(kind="rows", sha256=ref.sha256, size=ref.size)
    found = verified(artifacts, request(suites=("fresh", "examples"), examples=kept))
    assert found.examples is not None
    assert (found.examples.valid, found.examples.invalid) == (30, {"unreadable": 1})
    assert (suite(found, "examples").compared, suite(found, "examples").score.n) == ("", 30)
    assert found.n == 60
    (refused,) = [one for one in found.artifacts if one.kind == "examples.refused"]
    assert rows(artifacts, refused)[0]["line"] == 31


def test_what_another_try_cannot_mend_is_said_so() -> None:
    told = Fact(request(), "id", 1, "2026-11-21T03:00:00.000000Z", "test", None)

    def outcome(error: Exception) -> VerificationFailed:
        found = failed(told, error)
        assert isinstance(found, VerificationFailed)
        return found

    assert not outcome(NotFound("no artifact", where="here")).retryable
    assert outcome(LogUnavailable("away", where="here")).retryable
    assert outcome(ZeroDivisionError("x")).retryable
    assert outcome(ZeroDivisionError("x")).reason == "ZeroDivisionError: x"
