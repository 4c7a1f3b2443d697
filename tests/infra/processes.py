"""Real `ratchet` processes, each on a home of its own: started, asked, and ended by their pid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

RATCHET = (sys.executable, "-m", "infra.cli.main")
ROOT = Path(__file__).parents[2]
START = 60.0
"""Seconds that a start may take on a busy machine; it takes less than one on an idle one."""
COMMAND = 180.0
"""Seconds that a command may take."""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    def document(self) -> Any:
        return json.loads(self.out)


class Told(NamedTuple):
    """What the door answered."""

    status: int
    body: Any


def environment(**settings: str) -> dict[str, str]:
    """That of this process without settings of its own, and with these."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("RATCHET")}
    return {**kept, "RATCHET__WORKERS__PRETEND_SECONDS": "0.05", **settings}


def ratchet(home: Path, *words: str, **settings: str) -> Ended:
    """Run one command to its end."""
    done = subprocess.run(
        [*RATCHET, *words, "--home", str(home), "--json"],
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=COMMAND,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@dataclass
class Running:
    """A `ratchet up` that answers."""

    process: subprocess.Popen[bytes]
    home: Path
    note: dict[str, Any]
    said: Path

    @property
    def port(self) -> int:
        return int(self.note["http"].rpartition(":")[2])

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> Told:
        """One request, with the JSON of its answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, headers)
            answer = connection.getresponse()
            return Told(answer.status, json.loads(answer.read()))
        finally:
            connection.close()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ends(self, seconds: float = 30) -> int:
        """Its exit code, within so many seconds."""
        return self.process.wait(seconds)

    @property
    def err(self) -> str:
        """What it said on standard error."""
        return self.said.with_suffix(".err").read_text()

    @property
    def out(self) -> str:
        return self.said.with_suffix(".out").read_text()


def start(home: Path, *words: str, **settings: str) -> tuple[subprocess.Popen[bytes], Path]:
    """A `ratchet up` that may not answer yet, and where its words go."""
    said = home.parent / f"said-{time.monotonic_ns()}"
    with said.with_suffix(".out").open("wb") as out, said.with_suffix(".err").open("wb") as err:
        process = subprocess.Popen(
            [*RATCHET, "up", "--home", str(home), *words],
            cwd=ROOT,
            env=environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
    return process, said


def noted(home: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The note of this very process, as soon as it is there."""
    ends = time.monotonic() + START
    while time.monotonic() < ends and process.poll() is None:
        with suppress(OSError, ValueError):
            note: dict[str, Any] = json.loads((home / "up.json").read_text())
            if note["pid"] == process.pid:
                return note
        time.sleep(0.01)
    raise AssertionError(f"`ratchet up` did not come up; exit code {process.poll()}")


@contextmanager
def up(home: Path, *words: str, **settings: str) -> Iterator[Running]:
    """A `ratchet up` on any free port, unless the words say otherwise; gone afterwards."""
    chosen = words if "--port" in words else (*words, "--port", "0")
    process, said = start(home, *chosen, **settings)
    try:
        yield Running(process, home, noted(home, process), said)
    finally:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
        if process.poll() is None:
            process.kill()
        process.wait()
