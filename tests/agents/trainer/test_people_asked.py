"""What people are given to compare: both answers, in an order that tells nothing, and a key."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from agents.trainer.workers.jobs import Jobs
from agents.trainer.workers.people import LONGEST, review, shuffled
from agents.trainer.workers.work import Work
from events.artifacts import Artifacts
from events.catalog.jobs import JobSpec
from events.catalog.training import Artifact, StageRequested
from pipelines.remedies import lighter, put
from trainers.executor import State
from trainers.outcome import Outcome

PROMPTS = [f"prompt {number}" for number in range(200)]


class Writing:
    """An executor whose every model writes its own name behind the prompt, but for each fifth."""

    def __init__(self, artifacts: Artifacts, place: Path) -> None:
        self._artifacts, self._place = artifacts, place
        self.asked: list[JobSpec] = []

    def submit(self, spec: JobSpec) -> State:
        self.asked.append(spec)
        folder = self.folder(spec.job)
        folder.mkdir()
        data = spec.data_named("held_out")
        assert data is not None
        lines = []
        for place, line in enumerate(self._artifacts.read(data.sha256).splitlines()):
            prompt = json.loads(line)["prompt"]
            text = "the same" if place % 5 == 0 else f"{prompt}: {Path(spec.base).name}"
            lines.append(json.dumps({"prompt": prompt, "texts": [text]}))
        (folder / "per_item.jsonl").write_text("\n".join(lines))
        return State(spec.job, "ended", outcome=Outcome(per_item="per_item.jsonl"))

    def poll(self, job: str) -> State:
        return State(job, "queued")

    def folder(self, job: str) -> Path:
        return self._place / job


def work(tmp_path: Path, *changes: Any) -> tuple[Work, Writing]:
    artifacts = Artifacts(str(tmp_path / "artifacts"))
    words = StageRequested.example | {"stage": "evaluate", "pipeline": "dpo"}
    asked = StageRequested.model_validate_json(json.dumps(words))
    executor: Any = Writing(artifacts, tmp_path)
    request = asked.model_copy(update={"changes": changes})
    return Work(request, Jobs(executor), artifacts, tmp_path, print), executor


def problems(one: Work) -> Artifact:
    rows = [{"prompt": prompt} for prompt in [*PROMPTS[:100], *PROMPTS]]
    return asyncio.run(one.keep_rows(rows, "held_out"))


def test_people_see_so_many_pairs_and_the_key_tells_whose_is_whose(tmp_path: Path) -> None:
    one, executor = work(tmp_path, put("evaluate", "people", 40))
    found = asyncio.run(review(one, Path("/m/new"), Path("/m/old"), problems(one)))
    assert [artifact.kind for artifact in found.artifacts] == ["review", "review.key"]
    assert [Path(spec.base).name for spec in executor.asked] == ["new", "old"]
    rows, key = (
        [json.loads(line) for line in one.artifacts.read(kept.sha256).splitlines()]
        for kept in found.artifacts
    )
    assert len(rows) == len(found.key) == 40
    assert len({row["prompt"] for row in rows}) == 40
    for row, letter in zip(rows, found.key, strict=True):
        assert set(row) == {"prompt", "a", "b"}
        assert row[letter] == f"{row['prompt']}: new"
        assert row["b" if letter == "a" else "a"] == f"{row['prompt']}: old"
    assert "".join(row["policy"] for row in key) == found.key


def test_nothing_is_written_where_nobody_is_asked(tmp_path: Path) -> None:
    one, executor = work(tmp_path)
    found = asyncio.run(review(one, Path("/m/new"), Path("/m/old"), problems(one)))
    assert found == ((), "")
    assert not executor.asked


def test_models_that_write_the_same_leave_nothing_to_compare(tmp_path: Path) -> None:
    one, _ = work(tmp_path, put("evaluate", "people", 40))
    found = asyncio.run(review(one, Path("/m/same"), Path("/m/same"), problems(one)))
    assert found == ((), "")


def test_neither_side_is_favoured_and_the_order_follows_from_the_texts() -> None:
    new, old = ([f"{side} of {one}" for one in PROMPTS] for side in ("new", "old"))
    rows, key = shuffled(PROMPTS, new, old, 200)
    assert 70 < key.count("a") < 130
    assert shuffled(PROMPTS, old, new, 200)[0] == rows
    assert shuffled(PROMPTS, ["x" * 9999] * 200, old, 1)[0][0][key[0]].count("x") in (0, LONGEST)


def test_what_is_on_or_off_may_be_switched_by_a_remedy(tmp_path: Path) -> None:
    one, _ = work(tmp_path, *lighter("evaluate").changes)
    changed = one._changed("sft", {"lora": False, "max_length": 200})
    assert changed == {"gradient_checkpointing": True, "lora": True, "max_length": 150}
