"""Which of the jobs that wait may begin: a pure decision over what is free.

In the order in which they came. A job that does not fit yet keeps what it needs from those behind
it, so that small ones cannot push past a large one for ever; what it does not need is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from events.catalog.jobs import Resources


class Free(NamedTuple):
    """What nobody uses."""

    threads: int
    gpus: tuple[int, ...]


class Begins(NamedTuple):
    """A job that may begin, and the accelerators that it gets."""

    job: str
    gpus: tuple[int, ...]


def beginning(waiting: Iterable[tuple[str, Resources]], free: Free) -> Sequence[Begins]:
    """The jobs that may begin now."""
    threads, gpus = free
    found = []
    for job, wants in waiting:
        fits = wants.threads <= threads and wants.gpus <= len(gpus)
        if fits:
            found.append(Begins(job, gpus[: wants.gpus]))
        threads -= min(wants.threads, threads)
        gpus = gpus[wants.gpus :]
    return found


def fits(wants: Resources, threads: int, gpus: int) -> bool:
    """Whether it can ever begin here."""
    return wants.threads <= threads and wants.gpus <= gpus
