"""Jobs in the test's own process: it sees their policy, and torch is imported once."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from trainers.folder import read_spec
from trainers.job import TRAINERS, ready
from trainers.outcome import Outcome
from trainers.resources import seed_libraries
from trainers.run import Run
from trainers.watch import Watch


def respec(file: Path, **changes: Any) -> Path:
    """The same job with other values in its spec."""
    file.write_text(read_spec(file).model_copy(update=changes).model_dump_json())
    return file


def begun(file: Path) -> Run:
    """A job that was looked at and may begin."""
    job = ready(file)
    seed_libraries(job.spec.seed, job.spec.resources.threads)
    return Run(job.spec, job.settings, Watch(file))


def trained(file: Path) -> Outcome:
    """A job to its end."""
    run = begun(file)
    found: Outcome = import_module(TRAINERS[run.spec.trainer]).train(run)
    return found
