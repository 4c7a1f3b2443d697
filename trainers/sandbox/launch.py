"""Starts one program behind its walls, listens to it up to a limit, and sees it gone.

Whoever listens never waits for a pipe to be closed: it waits for the launcher, which ends when all
that it started has ended. Streams are read as they come and kept no further than the limit; what a
program is given lies in sealed memory, so that nobody waits for it to read.
"""

from __future__ import annotations

import fcntl
import marshal
import os
import select
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from events.errors import RatchetError
from trainers.sandbox.ending import Ending
from trainers.sandbox.plan import Handed, Walls, command, plan

SENT = ("mounting.py", "launcher.py")
"""What runs in the child, in this order and in one namespace."""
TO_START, TO_END = 20.0, 5.0
"""Seconds that a busy machine is granted to raise the walls, and to take them down."""
PIECE = 1 << 16

LOADER = """exec(compile(
    (lambda file: (file.read(), file.close()))(open(3, "rb"))[0], "program.py", "exec"
))"""
"""Becomes the program: an interpreter's `-c`, which leaves no name of its own behind."""


class NotEnclosed(RatchetError):
    """The walls could not be raised, so nothing was run."""


class Order(NamedTuple):
    """What is to be run."""

    loader: str
    """The text that the interpreter begins with."""
    program: bytes
    """What the loader reads at descriptor 3."""
    stdin: bytes = b""
    seconds: float = 5.0
    memory_mb: int = 256
    output: int = 65536
    """So many bytes of each stream are kept; whoever writes more is ended."""
    answers: bool = False
    """Whether there is a third stream, at descriptor 4."""


def carry_out(walls: Walls, order: Order) -> Ending:
    """Run it to its end, whichever that is."""
    with Descriptors() as ours:
        streams = {name: ours.pipe() for name in ("out", "err", "status", "answers")}
        lifeline, cut = ours.pipe()
        handed = Handed(
            plan=ours.kept(os.memfd_create("plan")),
            status=streams["status"][1],
            lifeline=lifeline,
            program=ours.sealed(order.program),
            answers=streams["answers"][1] if order.answers else None,
        )
        told = plan(walls, handed, order.loader, compiled(), order.seconds, order.memory_mb)
        write(handed.plan, marshal.dumps(told))
        started = subprocess.Popen(
            command(walls, handed.plan),
            stdin=ours.sealed(order.stdin),
            stdout=streams["out"][1],
            stderr=streams["err"][1],
            pass_fds=handed.all(),
            env={},
            cwd="/",
            start_new_session=True,
        )
        try:
            with suppress(OSError):  # when memory is short, the program is what has to go
                Path(f"/proc/{started.pid}/oom_score_adj").write_text("1000")
            limits = dict.fromkeys(streams, order.output) | {"status": PIECE}
            heard = {name: Heard(ends[0], limits[name]) for name, ends in streams.items()}
            gone = ours.kept(os.pidfd_open(started.pid))
            over = listen(gone, list(heard.values()), cut, order.seconds + TO_START)
        finally:
            _end(started, cut)
        return ending_of({name: bytes(one.kept) for name, one in heard.items()}, over)


class Heard:
    """One stream, as far as it is kept."""

    def __init__(self, number: int, limit: int) -> None:
        self.number, self.limit = number, limit
        self.kept = bytearray()
        self.too_much = False
        os.set_blocking(number, False)

    def take(self) -> int:
        """Read what is there; how much it was."""
        try:
            piece = os.read(self.number, PIECE)
        except BlockingIOError:
            return 0
        self.too_much = self.too_much or len(self.kept) + len(piece) > self.limit
        self.kept += piece[: self.limit - len(self.kept)]
        return len(piece)


def listen(
    gone: int,
    streams: Sequence[Heard],
    cut: int,
    seconds: float,
    over_with: Callable[[], bool] = lambda: False,
) -> bool:
    """Until whoever runs it has gone, or said that it is over. Whether a stream became too much."""
    ends, over = time.monotonic() + seconds, False
    by_number = {one.number: one for one in streams}
    watched = select.poll()
    for number in (*by_number, gone):
        watched.register(number, select.POLLIN)
    while not over_with():
        events = watched.poll(max(0.0, 1000 * (ends - time.monotonic())))
        if not events:
            raise NotEnclosed(
                "a program could neither be started nor ended in time",
                right="a machine that is less busy",
            )
        for number, _ in events:
            if number != gone:
                by_number[number].take()
        if not over and any(one.too_much for one in streams):
            over = True
            os.write(cut, b"x")
        if any(number == gone for number, _ in events):
            break
    for one in streams:  # what was written just before the end, and not more
        while not one.too_much and one.take():
            pass
    return over or any(one.too_much for one in streams)


def _end(started: subprocess.Popen[bytes], cut: int) -> None:
    """See the launcher gone, and with it all that it started."""
    if started.poll() is None:
        os.write(cut, b"x")
        try:
            started.wait(TO_END)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def ending_of(said: dict[str, bytes], over: bool) -> Ending:
    lines = said["status"].decode("utf-8", "replace").splitlines()
    failed = next((line for line in lines if line.startswith("failed ")), None)
    if failed or not lines:
        tail = said["err"].decode("utf-8", "replace").strip()[-400:]
        raise NotEnclosed("a program could not be enclosed", where=failed or tail)
    how, code, seconds, peak_kb = lines[-1].split()
    return Ending(
        how="output" if over else how,
        code=int(code),
        seconds=float(seconds),
        peak_mb=int(peak_kb) / 1024,
        out=said["out"],
        err=said["err"],
        answers=said["answers"],
    )


class Descriptors:
    """Those of one run; all are closed with it, each once."""

    def __init__(self) -> None:
        self._open: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for number in self._open:
            os.close(number)

    def kept(self, number: int) -> int:
        self._open.append(number)
        return number

    def pipe(self) -> tuple[int, int]:
        reads, writes = os.pipe()
        return self.kept(reads), self.kept(writes)

    def sealed(self, content: bytes) -> int:
        """A file in memory that nobody can change any more."""
        number = self.kept(os.memfd_create("given", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
        write(number, content)
        os.lseek(number, 0, os.SEEK_SET)
        all_seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(number, fcntl.F_ADD_SEALS, all_seals)
        return number


def write(number: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(number, left) :]


@cache
def compiled() -> list[Any]:
    sources = [Path(__file__).with_name(name) for name in SENT]
    return [compile(one.read_text(encoding="utf-8"), one.name, "exec") for one in sources]
