"""Jobs on this machine, a process group each, with slots for threads and accelerators.

What runs is told by the kernel's locks and not by this object's memory, so its process may be
killed at any moment: jobs that run go on, and the next executor here takes them up. It works when
it is asked: a poll looks at all jobs, begins those for which there is room, starts those again that
were killed without a word, and tells those that run that they are still looked after.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from events.catalog.jobs import JobSpec
from events.errors import LogUnavailable, Malformed
from trainers import lock
from trainers.checkpoints import last_step
from trainers.executor import PIECE, Log, Piece, State
from trainers.failures import Cancelled, Killed
from trainers.folder import outcome_of
from trainers.hosting import Host
from trainers.logs import piece
from trainers.outcome import failed
from trainers.processes import end_group, lives
from trainers.shelf import Fetch, Shelf
from trainers.slots import Free, beginning, fits
from trainers.starting import Starter, starts
from trainers.watch import DESERTED

MOST_STARTS = 4
"""Starts from the same checkpoint: a job that died there so often will die there again."""
GRACE = 5.0
"""Seconds that a cancelled job has to leave, before its group is killed."""
BEAT = 1.0
"""Seconds between signs to those that run that they are looked after."""


class LocalExecutor:
    """Carries jobs out below one folder; a `host` saves them the import of torch and TRL."""

    def __init__(
        self,
        root: Path,
        fetch: Fetch,
        *,
        threads: int = 1,
        gpus: Sequence[int] = (),
        host: Host | None = None,
        deserted: float = DESERTED,
        grace: float = GRACE,
        most_starts: int = MOST_STARTS,
    ) -> None:
        self._shelf = Shelf(root, fetch)
        self._starter = Starter(host, deserted)
        self._threads, self._gpus = threads, tuple(gpus)
        self._beat, self._grace = min(BEAT, deserted / 4), grace
        self._most_starts = most_starts
        self._open: dict[str, JobSpec] = {}
        """Jobs that have not ended, in the order in which they came."""
        self._beaten = 0.0
        self._turns = threading.RLock()
        self.reattach()

    def submit(self, spec: JobSpec) -> State:
        if not fits(spec.resources, self._threads, len(self._gpus)):
            raise Malformed(
                f"{spec.resources.threads} threads and {spec.resources.gpus} GPUs are not here",
                where="resources",
                right=f"at most {self._threads} threads and {len(self._gpus)} GPUs",
            )
        with self._turns:
            if self._shelf.lay(spec):
                self._open[spec.job] = spec
            return self.poll(spec.job)

    def poll(self, job: str) -> State:
        with self._turns:
            self._turn()
            return self._shelf.state(job)

    def logs(self, job: str, after: int = 0, most: int = PIECE, log: Log = "log.txt") -> Piece:
        return piece(self._shelf.folder(job) / log, after, most)

    def cancel(self, job: str) -> State:
        folder = self._shelf.folder(job)
        with self._turns:
            if outcome_of(folder) is not None:
                return self.poll(job)
            (folder / "cancel").touch()
            one = lock.holder(folder)
            if lock.held(folder) and one is not None and lives(*one):
                with suppress(ProcessLookupError):
                    os.killpg(one.pid, signal.SIGTERM)
        ends = time.monotonic() + self._grace
        while lock.held(folder):
            time.sleep(0.01)
            late = time.monotonic() - ends
            if late > 0 and (one := lock.holder(folder)) is not None:
                end_group(one.pid, one.born)
            if late > 2 * self._grace + 5:
                raise LogUnavailable(f"job {job!r} cannot be ended", where=str(folder / "lock"))
        return self.poll(job)

    def reattach(self) -> list[State]:
        with self._turns:
            self._open = self._shelf.unfinished()
            self._turn()
            return self._shelf.states()

    def folder(self, job: str) -> Path:
        return self._shelf.folder(job)

    def close(self) -> None:
        with self._turns:
            self._starter.close()

    def _turn(self) -> None:
        """Look at all jobs that have not ended, and begin what there is room for."""
        self._starter.bury()
        running = {job for job in self._open if lock.held(self.folder(job))}
        for job in [job for job in self._open if job not in running]:
            if self._has_ended(job):
                del self._open[job]
        if time.monotonic() - self._beaten >= self._beat:
            self._beaten = time.monotonic()
            for job in running:
                (self.folder(job) / "owner").touch()
        waiting = [(job, spec.resources) for job, spec in self._open.items() if job not in running]
        for job, gpus in beginning(waiting, self._free(running)):
            self._starter.start(self.folder(job), gpus)

    def _free(self, running: set[str]) -> Free:
        threads = self._threads - sum(self._open[job].resources.threads for job in running)
        last = [one for job in running for one in starts(self.folder(job))[-1:]]
        taken = {gpu for one in last for gpu in one["gpus"]}
        return Free(max(threads, 0), tuple(one for one in self._gpus if one not in taken))

    def _has_ended(self, job: str) -> bool:
        """Whether a job that does not run has come to its end; what it left running ends too."""
        folder = self.folder(job)
        one = lock.holder(folder)
        if one is not None and not lives(*one):
            end_group(one.pid, one.born)
        if outcome_of(folder) is None:
            step = last_step(folder)
            died = sum(one["from"] == step for one in starts(folder))
            if (folder / "cancel").exists():
                self._shelf.close(job, failed(Cancelled("the job was cancelled")))
            elif died >= self._most_starts:
                said = f"the job died {died} times behind step {step} without a word"
                right = "see log.txt; often the memory of the machine was used up"
                self._shelf.close(job, failed(Killed(said, where=f"step {step}", right=right)))
        return outcome_of(folder) is not None
