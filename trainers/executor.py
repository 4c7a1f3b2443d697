"""What carries jobs out, wherever that is: submit, poll, logs, cancel, reattach.

All of it is idempotent by the name of the job. Submitted twice it runs once; polled, it says how it
stands and is carried on if need be; cancelled after its end it stays ended. An executor may be
killed at any moment: the next one on the same place finds every job again, and loses none.

`tests/trainers/executor_contract.py` is what all of them have to pass.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from events.catalog.jobs import JobSpec
from trainers.outcome import Outcome

PIECE = 1 << 16
"""Bytes of a log that are given at once, unless it is told otherwise."""

Log = Literal["log.txt", "metrics.jsonl"]


class State(NamedTuple):
    """How a job stands."""

    job: str
    status: Literal["queued", "running", "ended"]
    step: int = 0
    """The last step that it has reported."""
    starts: int = 0
    """How often it was started."""
    outcome: Outcome | None = None
    """What came of it, once it has ended."""


class Piece(NamedTuple):
    """A piece of a log, in whole lines where they are not longer than the piece."""

    text: str
    next: int
    """Where the next piece begins."""


class Executor(Protocol):
    """A place where jobs run. Every call may be made from any thread."""

    def submit(self, spec: JobSpec) -> State:
        """Have a job carried out; one that is known already is only told. Its rows are in the
        artifacts of the executor. The same name with another spec is a Conflict."""

    def poll(self, job: str) -> State:
        """How it stands; NotFound where nobody submitted it."""

    def logs(self, job: str, after: int = 0, most: int = PIECE, log: Log = "log.txt") -> Piece:
        """What it said from this byte on; an empty piece where there is nothing more yet."""

    def cancel(self, job: str) -> State:
        """End it with all its processes, now; how it stands then."""

    def reattach(self) -> list[State]:
        """Take up all jobs that an earlier executor left here, and say how they stand."""

    def folder(self, job: str) -> Path:
        """Where what it made can be read, brought here if it was made elsewhere."""

    def close(self) -> None:
        """Let go; jobs that run go on."""
