"""Who is forgotten is forgotten in data sets too, whatever fails meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from events.artifacts import Artifacts
from events.catalog.data import DatasetAccepted, DatasetRedacted
from events.catalog.parts import DatasetAssembled, PartBuilt
from events.catalog.people import FeedbackReceived, SubjectForgotten
from events.catalog.training import Artifact
from events.envelope import draft
from events.errors import NotFound
from events.memory import MemoryStore
from events.store import append
from infra.history import History
from infra.redacting import from_datasets
from pipelines.data.rows import Provenance, read, read_sidecar, sidecar, written


class Home:
    """A log with a set in it: of four rows, one cites what ann has said and one what bob has."""

    def __init__(self, folder: Path) -> None:
        self.store, self.artifacts = MemoryStore(), Artifacts(str(folder))

    async def begin(self) -> None:
        said = [FeedbackReceived(subject=who, role="r", rating=1) for who in ("ann", "bob")]
        ann, bob = await append(self.store, *said)
        self.key = str(ann.key_id)
        rows = [{"prompt": f"question {n}", "chosen": "a", "rejected": "b"} for n in range(4)]
        cited = ["", f"event {ann.event_id}", f"event {ann.event_id} event {bob.event_id}", ""]
        beside = [Provenance(source="real", method="ratings", origin=one or None) for one in cited]
        items = written({"prompt": row["prompt"], "a": "x", "b": "y"} for row in rows[1:2])
        self.rows = self.put("rows", written(rows))
        kept: dict[str, Any] = {
            "rows": self.rows, "provenance": self.put("provenance", sidecar(beside)),
        }  # fmt: skip
        self.report, self.queue = self.put("report", b"question 1"), self.put("review", items)
        name = {"dataset": "d1"}
        whole = {**name, **kept, "report": self.report, "count": 4}
        part = {**PartBuilt.example, **name, **kept, "accepted": 4}
        made = {**DatasetAssembled.example, **whole, "waiting": self.queue, "waits": 1}
        good = {**DatasetAccepted.example, **whole, "kind": "pairs"}
        events = [
            PartBuilt.model_validate_json(_text(part)),
            DatasetAssembled.model_validate_json(_text(made)),
            DatasetAccepted.model_validate_json(_text(good)),
        ]
        drafts = [draft(one)._replace(outcome=False) for one in events]  # no lease is kept here
        await append(self.store, *drafts, SubjectForgotten(subject="ann"))

    def put(self, kind: str, content: bytes) -> Artifact:
        ref = self.artifacts.put(content)
        return Artifact(kind=kind, sha256=ref.sha256, size=ref.size)

    async def redacted(self) -> list[DatasetRedacted]:
        found = await self.store.read(0, 10**9, 100, {DatasetRedacted.wire})
        return [one for one in (each.event() for each in found) if isinstance(one, DatasetRedacted)]


def _text(fields: dict[str, Any]) -> str:
    return json.dumps(fields, default=lambda one: one.model_dump())


async def test_rows_of_the_forgotten_leave_a_set_and_its_old_files_are_gone(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    await home.begin()
    await from_datasets(home.store, home.artifacts)(home.key)
    (now,) = await home.redacted()
    assert (now.count, now.gone) == (2, 2)
    rows = read(home.artifacts.read(now.rows.sha256))
    assert [row["prompt"] for row in rows] == ["question 0", "question 3"]
    beside = read_sidecar(home.artifacts.read(now.provenance.sha256), 2)
    assert [one.origin for one in beside] == [None, None]
    for gone in (home.rows, home.report, home.queue):
        with pytest.raises(NotFound):
            home.artifacts.read(gone.sha256)
    again = await History(home.store).shared_pairs("sentiment_analysis", "other", 10**6)
    assert [one.rows for one in again] == [now.rows.sha256]


async def test_done_twice_it_changes_nothing_and_a_crash_before_the_end_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    await home.begin()
    purge = from_datasets(home.store, home.artifacts)
    with monkeypatch.context() as patched:
        patched.setattr(home.artifacts, "remove", _away)
        with pytest.raises(OSError, match="away"):
            await purge(home.key)
    assert home.artifacts.has(home.rows.sha256)
    await purge(home.key)
    await purge(home.key)
    assert not home.artifacts.has(home.rows.sha256)
    assert len(await home.redacted()) == 1


async def test_whose_words_are_in_no_set_changes_none(tmp_path: Path) -> None:
    home = Home(tmp_path)
    await home.begin()
    (eve,) = await append(home.store, FeedbackReceived(subject="eve", role="r", rating=1))
    await from_datasets(home.store, home.artifacts)(str(eve.key_id))
    assert await home.redacted() == []
    assert home.artifacts.has(home.rows.sha256)


def _away(_: str) -> None:
    raise OSError("the disk is away")
