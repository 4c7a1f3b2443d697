"""How a program can end, told from what was seen of it outside."""

from __future__ import annotations

import signal
from typing import Literal, NamedTuple

Ended = Literal["finished", "timeout", "memory", "killed", "output", "refused"]


class Ending(NamedTuple):
    """The end of a program, as it was observed."""

    how: str
    """`ended` by itself or by a signal, `timeout`, or `output`."""
    code: int
    seconds: float
    peak_mb: float
    out: bytes
    err: bytes
    answers: bytes


def how_ended(ending: Ending, memory_mb: int) -> Ended:
    """Which of the ends it was. What a program says of its memory is believed: it gains nothing."""
    if ending.how == "output":
        return "output"
    if ending.how == "timeout" or ending.code == -signal.SIGXCPU:
        return "timeout"
    if ending.code != 0 and b"MemoryError" in ending.err[-300:]:
        return "memory"
    if ending.code < 0:
        return "memory" if ending.peak_mb > 0.9 * memory_mb else "killed"
    return "finished"
