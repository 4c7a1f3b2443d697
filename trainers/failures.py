"""How a job can end other than well, as one table of kinds.

    code  kind         meaning                                         goes on  again
    0                  it is done
    1     defect       an error in the code; log.txt has its story        no     yes
    2     usage        the spec is wrong                                  no     no
    10    bad_data     the rows cannot be trained on                      no     no
    11    bad_base     the model to start from is missing or broken       no     no
    12    no_memory    it does not fit, even with the smallest batch      no     yes
    13    unstable     numbers ran away; more steps would do harm         no     yes
    14    cancelled    somebody cancelled it                              no     no
    15    out_of_time  its limit of seconds is used up                    no     no
    16    stopped      it was asked to stop, and saved a checkpoint       yes
    17    deserted     nobody has looked after it for ten minutes         yes
    18    homeless     its folder is gone                                 no     no
    19    busy         another process carries out this job               yes
    20    no_room      the disk is full                                   no     yes
    21    not_ready    the base fails the entry test of its trainer       no     no
    -     killed       it died too often without a word                   no     yes

`goes on`: started again it continues from its last checkpoint, and no outcome is written before.
`again`: another job of the same recipe may fare better, so a retry makes sense.

A user's mistake is told in one sentence; only a defect has a traceback, in log.txt.
"""

from __future__ import annotations

import errno
from typing import ClassVar

from events.errors import NotFound, RatchetError, Refused


class JobFailed(RatchetError):
    """The end of a job that did not end well."""

    kind: ClassVar[str] = "defect"
    exit_code = 1
    goes_on: ClassVar[bool] = False
    again: ClassVar[bool] = False


class Defect(JobFailed):
    """An error in the code of the trainer, or of what it calls."""

    again = True


class Usage(JobFailed):
    """The spec is wrong."""

    kind, exit_code = "usage", 2


class BadData(JobFailed):
    """The rows cannot be trained on."""

    kind, exit_code = "bad_data", 10


class BadBase(JobFailed):
    """The model to start from is missing or broken."""

    kind, exit_code = "bad_base", 11


class NoMemory(JobFailed):
    """It does not fit, even with the smallest batch."""

    kind, exit_code, again = "no_memory", 12, True


class Unstable(JobFailed):
    """Numbers ran away: more steps would do harm."""

    kind, exit_code, again = "unstable", 13, True


class Cancelled(JobFailed):
    """Somebody cancelled it."""

    kind, exit_code = "cancelled", 14


class OutOfTime(JobFailed):
    """Its limit of seconds is used up."""

    kind, exit_code = "out_of_time", 15


class Stopped(JobFailed):
    """It was asked to stop, and can go on from its checkpoint."""

    kind, exit_code, goes_on = "stopped", 16, True


class Deserted(JobFailed):
    """Nobody has looked after it for too long."""

    kind, exit_code, goes_on = "deserted", 17, True


class Homeless(JobFailed):
    """Its folder is gone, and is not made anew."""

    kind, exit_code = "homeless", 18


class Busy(JobFailed):
    """Another process carries out this job just now."""

    kind, exit_code, goes_on = "busy", 19, True


class DiskFull(JobFailed):
    """There is no room left to write."""

    kind, exit_code, again = "no_room", 20, True


class NotReady(JobFailed):
    """The base fails the entry test of its trainer: it would be made worse, not better."""

    kind, exit_code = "not_ready", 21


class Killed(JobFailed):
    """It died too often without a word; said by whoever started it, never by itself."""

    kind, exit_code, again = "killed", 137, True


FAILURES: dict[str, type[JobFailed]] = {
    "defect": Defect,
    "usage": Usage,
    "bad_data": BadData,
    "bad_base": BadBase,
    "no_memory": NoMemory,
    "unstable": Unstable,
    "cancelled": Cancelled,
    "out_of_time": OutOfTime,
    "stopped": Stopped,
    "deserted": Deserted,
    "homeless": Homeless,
    "busy": Busy,
    "no_room": DiskFull,
    "not_ready": NotReady,
    "killed": Killed,
}

NO_ROOM = (
    "no space left",
    "file too large",
    "quota exceeded",
    ". unexpected pos ",
    "pytorchstreamwriter failed",
)
"""How torch and safetensors word a full disk, inside errors of no class of their own."""
NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory")
"""How torch words it, on a GPU and on a CPU, inside errors of no class of their own."""


def out_of_memory(error: BaseException) -> bool:
    """Whether this is a want of memory, which a smaller batch may mend."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    said = str(error).casefold()
    return isinstance(error, (RuntimeError, OSError)) and any(one in said for one in NO_MEMORY)


def out_of_room(error: BaseException) -> bool:
    """Whether this is a disk that is full, or a file that may not become so large."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    said = str(error).casefold()
    named = isinstance(error, RuntimeError) or type(error).__name__ == "SafetensorError"
    return named and any(one in said for one in NO_ROOM)


def classified(error: BaseException) -> JobFailed:
    """What an error that came up to the end of a job means; sorted here and nowhere else."""
    match error:
        case JobFailed():
            return error
        case Refused() | NotFound():
            return Usage(error.what, where=error.where, right=error.right)
        case _ if out_of_room(error):
            where = str(getattr(error, "filename", None) or "")
            right = "free some space, or more of it for this user"
            return DiskFull("the disk is full", where=where, right=right)
        case _ if out_of_memory(error):
            return NoMemory(
                f"the memory is used up ({_said(error)})",
                right="a smaller batch, LoRA, gradient_checkpointing, or more memory",
            )
        case RatchetError():
            return Defect(error.what, where=error.where, right=error.right)
    return Defect(_said(error), where="log.txt")


def _said(error: BaseException) -> str:
    words = " ".join(str(error).split())[:500]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
