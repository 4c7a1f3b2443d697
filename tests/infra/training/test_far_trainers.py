"""Real stages on another machine: it trains where artifacts are in common, else it stays out."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from events.catalog.roles import RoleDefined
from infra.home import Home
from infra.tokens import Tokens
from tests.infra.processes import Running, environment, up
from tests.infra.training.conftest import FEW
from tests.infra.training.small import begun, told

pytestmark = [pytest.mark.real, pytest.mark.proof]

REHEARSING = {"role": "support", "pipeline": "rehearsal", "base": "tiny"}


@contextmanager
def hired(folder: Path, owner: Running, name: str, path: str, artifacts: str) -> Iterator[Path]:
    """A `ratchet worker` in a folder of its own, and where its words go."""
    folder.mkdir()
    said = folder / "said"
    settings = {
        "RATCHET__WORKERS__TOKEN": Tokens(owner.home / "tokens.json").add(name, ("worker",)),
        "RATCHET__WORKERS__PRETEND_SECONDS": "0.02",
        "RATCHET__STORE__ARTIFACTS": artifacts,
        "PYTHONPATH": path,
    }
    url = "nats://" + owner.note["nats"].rpartition("@")[2]
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.cli.main", "worker", "--url", url],
            cwd=folder, env=environment(**settings), stdin=subprocess.DEVNULL,
            stdout=out, stderr=out,
        )  # fmt: skip
    try:
        yield said
    finally:
        process.terminate()
        process.wait(30)
    assert "Traceback" not in said.read_text()


def events(owner: Running, *kinds: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for kind in kinds:
        found += owner.ask("GET", f"/events?type={kind}&limit=1000").body["events"]
    return found


def until(owner: Running, kind: str, seconds: float = 240) -> list[dict[str, Any]]:
    ends = time.monotonic() + seconds
    while not (found := events(owner, kind)):
        assert time.monotonic() < ends, events(owner, "StageFailed")
        time.sleep(0.2)
    return found


def test_who_shares_the_artifacts_trains_and_who_does_not_leaves_it_to_others(
    tmp_path: Path, path: str
) -> None:
    home = Home(tmp_path / "home")
    home.folder.mkdir()
    (run,) = asyncio.run(begun(home, [FEW]))
    with up(home.folder, RATCHET__WORKERS__SLOTS="0", PYTHONPATH=path) as owner:
        with hired(tmp_path / "without", owner, "near", path, "") as near:
            example = {**RoleDefined.example, "role": "support"}
            owner.ask("POST", "/events", {"type": "RoleDefined", "data": example})
            owner.ask("POST", "/events", {"type": "TrainingRequested", "data": REHEARSING})
            until(owner, "RunCompleted")
            assert "rehearsals alone" in near.read_text()
            common = f"file://{home.folder / 'artifacts'}"
            with hired(tmp_path / "with", owner, "far", path, common):
                (abandoned,) = until(owner, "RunAbandoned")
        outcomes = events(owner, "StageCompleted", "StageFailed")
    assert "is below 100; no remedy is left" in abandoned["data"]["reason"]
    assert {one["type"] for one in outcomes} == {"StageCompleted"}
    by = {one["data"]["run"] == run: one["actor"] for one in outcomes}
    assert by == {True: "worker:token:far", False: "worker:token:near"}
    assert (tmp_path / "with" / ".ratchet" / "work" / "training" / "jobs").is_dir()
    assert not (tmp_path / "without" / ".ratchet").exists()
    _, report = asyncio.run(told(home))
    assert report.good, report
