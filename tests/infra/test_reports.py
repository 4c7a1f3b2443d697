"""Reports of runs: written in spite of what was lost, and anew when the candidate has a fate."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from events.artifacts import Artifacts
from events.bus import LogTailBus
from events.memory import MemoryStore
from events.projection import Fold
from infra.home import Home
from infra.reports import PAGE, Reporter, folder, reported
from pipelines.runs import RUNS
from tests.agents.trainer.story import Story

GOOD = b'{"step": 1, "loss": 2.0}\n{"step": 2, "loss": 1.0}\n'
RUBBISH = [
    b"", b"\n\n", b"{", b"\xff\xfe", b"[1]\n3\nnull\n", b'{"loss": 1}\n', b"[" * 100_000,
    b'{"step": NaN, "loss": Infinity}\n{"step": 1, "loss": 1e999}\n', b'{"step": "x", "loss": {}}',
    b'{"step": 1' + b"0" * 400 + b"}\n",
]  # fmt: skip


def ended() -> dict[str, Any]:
    """A run that came through, as the projection has it."""
    story = Story("dpo").until("evaluate")
    story.done(None, "policy")
    state: dict[str, Any] = {}
    for one in story.history.facts:
        if one.event.wire in RUNS.hears:
            RUNS.apply(state, one)
    return dict(state[story.run])


def with_(home: Home, row: dict[str, Any], **kinds: bytes) -> dict[str, Any]:
    """The run, with these artifacts in the place of its own."""
    artifacts = Artifacts(home.artifacts)
    for stage in row["stages"]:
        stage["artifacts"] = []
    for kind, content in kinds.items():
        ref = artifacts.put(content)
        one = {"kind": kind.replace("_", "."), "sha256": ref.sha256, "size": ref.size}
        row["stages"][4]["artifacts"].append(one)
    return row


@pytest.mark.parametrize("content", RUBBISH, ids=range(len(RUBBISH)))
def test_a_curve_that_is_rubbish_spoils_no_report(tmp_path: Path, content: bytes) -> None:
    home = Home(tmp_path)
    row = with_(home, ended(), curve_optimise=content, curve_again=GOOD)
    text = reported(home, row).read_text()
    assert "optimise again: loss" in text
    assert not re.search(r"\b(nan|inf)\b", text)
    assert "Not to be read any more" not in text


def test_what_was_lost_is_named_and_the_rest_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path)
    row = with_(home, ended(), curve_optimise=GOOD, curve_again=GOOD + b"\n", page_pairs=b"\xff")
    lost = row["stages"][4]["artifacts"][0]["sha256"].removeprefix("sha256:")
    (file,) = [one for one in Path(home.artifacts).rglob("*") if one.is_file() and lost[2:] in
               one.as_posix().replace("/", "")]  # fmt: skip
    os.chmod(file, 0o600)
    file.write_bytes(b"another")
    place = reported(home, row)
    text = place.read_text()
    assert "Not to be read any more: the curve of optimise, the page of optimise." in text
    assert "optimise again: loss" in text
    assert not (place.parent / "pairs.html").exists()


async def test_a_report_is_written_anew_when_its_candidate_has_a_fate(tmp_path: Path) -> None:
    home, row, store = Home(tmp_path), ended(), MemoryStore()

    async def runs() -> Fold:
        return Fold(RUNS, {row["run"]: row})

    reporter = Reporter(home, LogTailBus(store), runs)
    page = folder(home, row) / PAGE
    await reporter.look()
    assert "Deploy: the candidate has passed" in page.read_text()
    page.write_text("kept")
    await reporter.look()
    assert page.read_text() == "kept"
    late = {"verdict": "worse", "withdrawn": "it is worse", "at": "2999-01-01T00:00:00.000000Z"}
    row["since"] = late
    await reporter.look()
    assert "Do not deploy" in page.read_text()
    page.write_text("kept")
    await reporter.look()
    assert page.read_text() == "kept"
