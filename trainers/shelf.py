"""The folders of all jobs of one place, and how each of them stands, read from the folders alone.

root/jobs/JOB/    see trainers/folder.py
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

from events.catalog.jobs import JobSpec
from events.errors import IdTaken, NotFound
from trainers import lock
from trainers.executor import State
from trainers.failures import JobFailed, Usage
from trainers.folder import data_file, lines_of, outcome_of, put, put_outcome, read_spec, sync
from trainers.logs import last_line
from trainers.outcome import Outcome, failed

Fetch = Callable[[str], Iterator[bytes]]
"""The content of an artifact by its reference, in pieces; verified, as `Artifacts.chunks` is."""


class Shelf:
    """Jobs by their names."""

    def __init__(self, root: Path, fetch: Fetch) -> None:
        self._jobs = root / "jobs"
        self._jobs.mkdir(parents=True, exist_ok=True)
        self._fetch = fetch

    def folder(self, job: str) -> Path:
        """That of a job that is there."""
        folder = self._jobs / job
        if job.startswith(".") or "/" in job or not folder.is_dir():
            raise NotFound(f"there is no job {job!r}", right="one that was submitted here")
        return folder

    def lay(self, spec: JobSpec) -> bool:
        """Make the folder with all that the job reads; False where it is there already."""
        folder = self._jobs / spec.job
        if folder.exists():
            if read_spec(folder / "spec.json") != spec:
                what = f"job {spec.job!r} was submitted with another spec"
                raise IdTaken(what, where="job", right="another name, or the same spec")
            return False
        made = self._jobs / f".{spec.job}.{uuid4().hex}"
        (made / "data").mkdir(parents=True)
        try:
            for ref in spec.data:
                with data_file(made, ref.sha256).open("wb") as target:
                    for chunk in self._fetch(ref.sha256):
                        target.write(chunk)
                sync(data_file(made, ref.sha256))
            put(made / "spec.json", spec.model_dump_json(indent=1).encode())
            os.replace(made, folder)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        sync(self._jobs)
        return True

    def unfinished(self) -> dict[str, JobSpec]:
        """Jobs without an outcome, in the order in which they came."""
        for left in self._jobs.glob(".*"):  # a submission that was killed half-way
            shutil.rmtree(left, ignore_errors=True)
        found = {}
        for folder in self._folders():
            if outcome_of(folder) is None:
                try:
                    spec = _own_spec(folder)
                except JobFailed as error:  # somebody was here; the other jobs can go on
                    self.close(folder.name, failed(error))
                else:
                    found[spec.job] = ((folder / "spec.json").stat().st_mtime_ns, spec)
        return {job: spec for job, (_, spec) in sorted(found.items(), key=lambda one: one[1][0])}

    def states(self) -> list[State]:
        """How all of them stand."""
        return [self.state(job) for job in sorted(one.name for one in self._folders())]

    def _folders(self) -> list[Path]:
        return [one for one in self._jobs.iterdir() if one.is_dir() and one.name[0] != "."]

    def state(self, job: str) -> State:
        """How one of them stands."""
        folder = self.folder(job)
        step = last_line(folder / "metrics.jsonl").get("step", 0)
        starts = len(lines_of(folder / "starts.jsonl"))
        runs = lock.held(folder)
        if (outcome := outcome_of(folder)) is not None:
            return State(job, "ended", step, starts, outcome)
        return State(job, "running" if runs else "queued", step, starts)

    def close(self, job: str, outcome: Outcome) -> None:
        """Write an outcome for a job that nobody carries out; its lock says that nobody does."""
        folder = self.folder(job)
        handle = lock.take(folder)
        if handle is not None:
            try:
                starts = len(lines_of(folder / "starts.jsonl"))
                put_outcome(folder, outcome.model_copy(update={"starts": starts}))
            finally:
                os.close(handle)


def _own_spec(folder: Path) -> JobSpec:
    """That of the job whose name the folder has."""
    spec = read_spec(folder / "spec.json")
    if spec.job != folder.name:
        raise Usage(
            f"the spec is that of job {spec.job!r}",
            where=str(folder),
            right="a folder of the name of its job",
        )
    return spec
