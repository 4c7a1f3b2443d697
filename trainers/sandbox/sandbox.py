"""Runs programs that nobody vouches for, and tests them so that they cannot lie about it.

    box = sandbox()                       # chosen and probed once; refuses where nothing holds
    box.run("print(6 * 7)").out           # "42\\n"
    box.check("def add(a, b): return a + b", ["assert add(1, 2) == 3"])

A program that fails, hangs, breaks out in threads or tries to get away is an ordinary result, and
never an error here. An error means that it could not be enclosed, so it has not run.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from events.errors import Refused
from trainers.sandbox.checking import Checked, examined
from trainers.sandbox.choose import chosen
from trainers.sandbox.ending import Ended, how_ended
from trainers.sandbox.exam import exam
from trainers.sandbox.launch import LOADER, Order, carry_out
from trainers.sandbox.plan import Walls

LEAST_MEMORY_MB = 64
"""An interpreter alone takes a third of it."""
LONGEST = 1 << 20
"""A program of more bytes is refused: nobody writes that by hand, nor a model by design."""


class Ran(NamedTuple):
    """What became of a program."""

    code: int
    """As it left it; the negative number of a signal that ended it."""
    out: str
    err: str
    seconds: float
    ended: Ended
    """`finished` by itself, rightly or wrongly; `refused`: it was not even begun."""


class Sandbox(NamedTuple):
    """The walls of this machine; they hold no matter how many programs run at once."""

    walls: Walls

    def run(
        self,
        program: str,
        *,
        stdin: str = "",
        seconds: float = 5.0,
        memory_mb: int = 256,
        output: int = 65536,
    ) -> Ran:
        """Run a program in an interpreter and a folder of its own; neither is left afterwards."""
        _check_limits(seconds, memory_mb, output)
        try:
            text, given = program.encode(), stdin.encode()
        except UnicodeEncodeError as error:
            return Ran(2, "", f"the text is not Unicode: {error.reason}", 0.0, "refused")
        if len(text) > LONGEST:
            return Ran(2, "", f"a program of {len(text)} bytes", 0.0, "refused")
        order = Order(LOADER, text, given, seconds, memory_mb, output)
        ending = carry_out(self.walls, order)
        return Ran(
            ending.code,
            ending.out.decode("utf-8", "replace"),
            ending.err.decode("utf-8", "replace"),
            ending.seconds,
            how_ended(ending, memory_mb),
        )

    def check(
        self,
        program: str,
        tests: Sequence[str],
        *,
        seconds: float = 5.0,
        memory_mb: int = 256,
        output: int = 65536,
    ) -> tuple[Checked, ...]:
        """Put tests to a program; the seconds are for all of them together.

        They run one after the other in one process. A test that ends the process, or that it ends,
        is failed, and the others go on in a new one.
        """
        _check_limits(seconds, memory_mb, output)
        exams = [exam(test) for test in tests]
        if not _is_text(program) or len(program) > LONGEST:
            return tuple(Checked(False, "the program is no text of a fair size") for _ in tests)
        limits = Order("", b"", b"", seconds, memory_mb, output)
        return examined(self.walls, program, exams, limits)


def _check_limits(seconds: float, memory_mb: int, output: int) -> None:
    if not 0 < seconds <= 3600:
        raise Refused("a program's time is not a time", where=f"{seconds} s", right="up to 3600 s")
    if memory_mb < LEAST_MEMORY_MB:
        raise Refused(
            "an interpreter does not fit",
            where=f"memory_mb={memory_mb}",
            right=f"at least {LEAST_MEMORY_MB}",
        )
    if output < 1:
        raise Refused("no output is kept", where=f"output={output}", right="at least 1")


def _is_text(program: str) -> bool:
    return not any("\ud800" <= one <= "\udfff" for one in program)


@cache
def sandbox() -> Sandbox:
    """The one of this machine, probed when it is first asked for."""
    return Sandbox(chosen())
