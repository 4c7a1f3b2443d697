"""Workers on another machine, as processes of their own, and the owner that they work for."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from events.catalog.roles import RoleDefined
from infra.tokens import Tokens
from tests.infra.processes import ROOT, Running, environment, up

TRAINING = {"role": "support", "pipeline": "rehearsal", "base": "tiny"}
OURS = {"RATCHET__WORKERS__SLOTS": "0"}
"""The owner of these tests has no worker of its own."""


HASTY = """
import runpy, sys
import agents.worker
agents.worker.LEASE, agents.worker.LOOK = float(sys.argv.pop(1)), 0.3
runpy.run_module("infra.cli.main", run_name="__main__")
"""
"""The same program, with leases of other seconds, and looking for work more often."""


class Far:
    """A worker on another machine: in a folder of its own, with what it says."""

    def __init__(
        self, folder: Path, url: str, token: str, pretend: float, way: str, lease: float,
        artifacts: str = "",
    ) -> None:  # fmt: skip
        folder.mkdir()
        self.folder, self._said = folder, folder.with_suffix(".err")
        settings = {
            "RATCHET__WORKERS__PRETEND_SECONDS": str(pretend),
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "RATCHET__STORE__ARTIFACTS": artifacts,
        }
        words = ["worker", "--url", url]
        if way == "environment":
            settings["RATCHET__WORKERS__TOKEN"] = token
        elif way == "option":
            words += ["--token", token]
        else:
            (folder / "ratchet.yaml").write_text(f"workers: {{token: {token}}}")
        program = ["-c", HASTY, str(lease)] if lease else ["-m", "infra.cli.main"]
        with self._said.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, *program, *words],
                cwd=folder, env=environment(**settings), stdin=subprocess.DEVNULL,
                stdout=err, stderr=err,
            )  # fmt: skip

    @property
    def err(self) -> str:
        return self._said.read_text()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


class Owner:
    """An owner, one token, and as many workers as a test wants."""

    def __init__(self, running: Running, folder: Path, *scopes: str) -> None:
        self.running, self.folder = running, folder
        self.tokens = Tokens(running.home / "tokens.json")
        self.token = self.tokens.add("gpu-1", scopes or ("worker",))
        self.url = "nats://" + running.note["nats"].rpartition("@")[2]
        self.workers: list[Far] = []
        example = {**RoleDefined.example, "role": "support"}
        assert (
            running.ask("POST", "/events", {"type": "RoleDefined", "data": example}).status == 201
        )

    def hire(
        self, pretend: float = 0.02, token: str = "", way: str = "environment", lease: float = 0,
        artifacts: str = "",
    ) -> Far:  # fmt: skip
        place = self.folder / f"machine-{len(self.workers)}"
        bearer = token or self.token
        self.workers.append(Far(place, self.url, bearer, pretend, way, lease, artifacts))
        return self.workers[-1]

    def train(self) -> None:
        body = {"type": "TrainingRequested", "data": TRAINING}
        assert self.running.ask("POST", "/events", body).status == 201

    def told(self, kind: str) -> list[dict[str, Any]]:
        found = self.running.ask("GET", f"/events?type={kind}&limit=1000").body["events"]
        return [dict(one) for one in found]


@contextmanager
def owned(folder: Path, *scopes: str) -> Iterator[Owner]:
    with up(folder / "home", **OURS) as running:
        owner = Owner(running, folder, *scopes)
        try:
            yield owner
        finally:
            for worker in owner.workers:
                worker.process.kill()
                worker.process.wait()


def until(met: Callable[[], object], seconds: float = 90) -> None:
    ends = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < ends
        time.sleep(0.03)
