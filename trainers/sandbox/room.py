"""Walls that stay where they are between programs: what takes long is done once for many of them.

Namespaces, file system and the process that watches over them are made once. Everything else is as
new for each program: its process and its interpreter, its limits, filter and rights, its streams,
and the folder that it may write in. What one program has left, the next one does not meet: whatever
still runs is killed, and the folder is thrown away with all that is in it.

A room is left after anything but an ordinary end, after many programs, and when nobody has needed
it for a while; it goes with the process that made it. Without namespaces there are no rooms.
"""

from __future__ import annotations

import atexit
import marshal
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from pathlib import Path

from trainers.sandbox import launch
from trainers.sandbox.ending import Ending
from trainers.sandbox.launch import TO_START, Descriptors, Heard, Order
from trainers.sandbox.plan import Handed, Walls, command, limits, plan

MOST = 500
"""Programs that one room sees."""
STATUS = 1 << 16


class Gone(Exception):
    """The room went before it had told how a program ended."""


class Room:
    """One of them. Whoever has it uses it alone."""

    def __init__(self, walls: Walls, ended: Callable[[Room], None]) -> None:
        self._walls, self._ended, self.used = walls, ended, 0
        self._leaving = threading.Lock()
        begun: Future[int] = Future()
        self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # The kernel ends it with the thread that has started it, so that one stays.
            threading.Thread(target=self._keep, args=(theirs, begun), daemon=True).start()
            try:
                self._gone = begun.result()
            except BaseException:
                self._door.close()
                raise

    def carry_out(self, order: Order) -> Ending:
        """Run it to its end, whichever that is."""
        self.used += 1
        with Descriptors() as ours:
            streams = {name: ours.pipe() for name in ("out", "err", "status", "answers")}
            lifeline, cut = ours.pipe()
            handed = [streams["status"][1], lifeline, ours.sealed(order.stdin)]
            handed += [streams["out"][1], streams["err"][1], ours.sealed(order.program)]
            handed += [streams["answers"][1]] if order.answers else []
            told = {
                "loader": order.loader,
                "seconds": order.seconds,
                "limits": limits(self._walls, order.seconds, order.memory_mb),
            }
            try:
                socket.send_fds(self._door, [marshal.dumps(told)], handed)
            except OSError as error:
                raise Gone from error
            most = dict.fromkeys(streams, order.output) | {"status": STATUS}
            heard = {name: Heard(ends[0], most[name]) for name, ends in streams.items()}
            status, seconds = heard["status"], order.seconds + TO_START
            over = launch.listen(
                self._gone, list(heard.values()), cut, seconds, lambda: _told(status.kept)
            )
            if not _told(status.kept):
                raise Gone
            return launch.ending_of({name: bytes(one.kept) for name, one in heard.items()}, over)

    def leave(self) -> None:
        """Take it down; what runs in it is killed."""
        if self._leaving.acquire(blocking=False):
            self._door.close()
            os.close(self._gone)

    def _keep(self, theirs: socket.socket, begun: Future[int]) -> None:
        try:
            with Descriptors() as ours:
                number = ours.kept(os.memfd_create("plan"))
                handed = Handed(number, status=number, orders=theirs.fileno())
                told = plan(self._walls, handed, "", launch.compiled(), 0.0, 0)
                launch.write(number, marshal.dumps(told))
                started = subprocess.Popen(
                    command(self._walls, number),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(number, theirs.fileno()),
                    env={},
                    cwd="/",
                    start_new_session=True,
                )
            with suppress(OSError):  # when memory is short, programs are what has to go
                Path(f"/proc/{started.pid}/oom_score_adj").write_text("1000")
            gone = os.pidfd_open(started.pid)
        except BaseException as error:
            begun.set_exception(error)
            return
        begun.set_result(gone)
        started.wait()
        self._ended(self)


class Rooms:
    """Those of this process that stand empty."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._empty: list[tuple[Walls, Room]] = []

    def carry_out(self, walls: Walls, order: Order) -> Ending:
        """Run it in one of them; where that is gone, or there can be none, without one."""
        if not walls.namespaces:
            return launch.carry_out(walls, order)
        room = self._taken(walls) or Room(walls, self._remove)
        try:
            ending = room.carry_out(order)
        except Gone:
            room.leave()
            return launch.carry_out(walls, order)
        except BaseException:
            room.leave()
            raise
        if ending.how == "ended" and ending.code >= 0 and room.used < MOST:
            with self._lock:
                self._empty.append((walls, room))
        else:
            room.leave()
        return ending

    def leave(self) -> None:
        """Take all down that stand empty."""
        with self._lock:
            empty, self._empty = self._empty, []
        for _, room in empty:
            room.leave()

    def begin_anew(self) -> None:
        """In a process that was forked: the rooms are those of the other."""
        self._lock = threading.Lock()
        self.leave()

    def _taken(self, walls: Walls) -> Room | None:
        """The one that was used last: the others may become superfluous."""
        with self._lock:
            for place in reversed(range(len(self._empty))):
                if self._empty[place][0] == walls:
                    return self._empty.pop(place)[1]
        return None

    def _remove(self, room: Room) -> None:
        with self._lock:
            left = [one for one in self._empty if one[1] is not room]
            found, self._empty = len(left) < len(self._empty), left
        if found:
            room.leave()


@cache
def rooms() -> Rooms:
    """Those of this process."""
    made = Rooms()
    os.register_at_fork(after_in_child=made.begin_anew)
    atexit.register(made.leave)
    return made


def _told(said: bytearray) -> bool:
    """Whether the end of a program stands there; what failed is told in a line before it."""
    lines = bytes(said).split(b"\n")[:-1]
    return bool(lines) and not lines[-1].startswith(b"failed ")
