"""A worker far away learns whether its place of artifacts is the owner's, and what it can do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from events.bus import LogTailBus
from events.catalog.examinations import ExaminationRequested
from events.catalog.verification import ModelVerified
from events.errors import Malformed
from events.memory import MemoryStore
from events.store import append
from infra.desk import WorkDesk
from infra.home import Home
from infra.marking import Mark, elsewhere
from infra.rejected import Rejected
from infra.settings import Settings, Workers
from infra.verifying import suites
from tests.agents.trainer.story import example


def test_the_same_place_has_the_mark_and_takes_what_is_made_there(tmp_path: Path) -> None:
    place = str(tmp_path / "artifacts")
    mark = Mark(place).reference()
    assert mark is not None
    assert elsewhere(place, mark) == elsewhere(f"file://{place}", mark) == ""
    left = [one for one in (tmp_path / "artifacts").rglob("*") if one.is_file()]
    assert len(left) == 1  # the mark; the worker's probe is gone


def test_another_place_an_older_copy_and_one_that_is_read_only_are_told_apart(
    tmp_path: Path,
) -> None:
    ours = str(tmp_path / "ours")
    before, now = Mark(ours).reference(), Mark(ours).reference()
    assert before is not None
    assert now is not None
    assert before != now  # of another start: what was copied before it does not have it
    assert "another place" in elsewhere(str(tmp_path / "theirs"), now)
    (tmp_path / "file").write_text("")
    assert elsewhere(str(tmp_path / "file"), now)
    assert "cannot be used" in elsewhere("nowhere-at-all://bucket", now)


def test_an_owner_without_a_place_says_nothing_of_it(tmp_path: Path) -> None:
    assert Mark("").reference() is None
    (tmp_path / "file").write_text("")
    assert Mark(str(tmp_path / "file")).reference() is None


class Far:
    """A worker that asks a desk."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        place = str(folder / "artifacts")
        bus, rejected = LogTailBus(self.store), Rejected(folder)
        self.desk = WorkDesk(self.store, bus, rejected, artifacts=place)

    async def examine(self, *names: str) -> None:
        await append(self.store, example(ExaminationRequested, suites=list(names)))

    async def claim(self, **more: Any) -> dict[str, Any]:
        asked = {"kinds": ["ExaminationRequested"], "holder": "far", **more}
        return await self.desk.serve("claim", json.dumps(asked).encode(), "far")


async def test_an_examination_goes_to_who_has_its_benchmarks(tmp_path: Path) -> None:
    far = Far(tmp_path)
    await far.examine("fresh", "task.mmlu")
    assert (await far.claim(tasks=[]))["request"] is None
    assert (await far.claim(tasks=["task.gsm8k"], pipelines=["dpo"]))["request"] is None
    await far.examine("fixed")
    plain = await far.claim(tasks=[])
    assert plain["request"]["data"]["suites"] == ["fixed"]
    benchmark = await far.claim(tasks=["task.mmlu", "task.gsm8k"])
    assert benchmark["request"]["data"]["suites"] == ["fresh", "task.mmlu"]
    assert (await far.claim())["request"] is None
    with pytest.raises(Malformed, match="tasks"):
        await far.claim(tasks="all")


async def test_who_names_no_benchmarks_is_believed_to_have_them_all(tmp_path: Path) -> None:
    far = Far(tmp_path)
    await far.examine("task.mmlu")
    granted = await far.claim(pipelines=["dpo"])
    assert granted["request"]["data"]["suites"] == ["task.mmlu"]
    assert elsewhere(str(tmp_path / "artifacts"), granted["artifacts"]) == ""


async def test_what_was_measured_from_afar_is_taken_in_and_of_another_role_is_not(
    tmp_path: Path,
) -> None:
    """Suites are asked for by name and told in figures: they are alike in their name alone."""
    far = Far(tmp_path)
    await append(far.store, example(ExaminationRequested, **{
        name: ModelVerified.example[name]
        for name in ("verification", "role", "attempt", "run", "model", "baseline")
    }))  # fmt: skip
    granted = await far.claim()
    held = {"request_id": granted["request"]["event_id"], "epoch": granted["epoch"]}
    told = {**held, "type": "ModelVerified", "data": ModelVerified.example}
    other = {**told, "data": {**ModelVerified.example, "role": "sales"}}
    with pytest.raises(Malformed, match="'role' is another one"):
        await far.desk.serve("answer", json.dumps(other).encode(), "far")
    await far.desk.serve("answer", json.dumps(told).encode(), "far")
    assert [one.type for one in await far.store.read()][-1] == "ModelVerified"


def test_the_benchmarks_of_a_worker_are_the_files_in_its_folder(tmp_path: Path) -> None:
    home, here = Home(tmp_path / "home"), tmp_path / "own"
    assert suites(home, Settings()) == []
    here.mkdir()
    for name in ("mmlu.jsonl", "no name.jsonl", "notes.txt"):
        (here / name).write_text("{}")
    assert suites(home, Settings(workers=Workers(tasks=str(here)))) == ["task.mmlu"]
