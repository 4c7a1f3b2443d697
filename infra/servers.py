"""The nats-server of a home: a child of its owner, on loopback, with its store under the home.

It dies with its owner, also when the owner is killed; when it dies itself it is started again, on
the same port. A fence, locked by the kernel for as long as the child lives, says who it is: so the
child of a killed owner, should it linger, is ended by its pid before the next one starts.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from events.errors import LogUnavailable, RatchetError
from infra.binary import Binary
from infra.fence import fenced, number
from infra.sockets import PlaceTaken, listening_socket

log = logging.getLogger(__name__)

READY = 20.0
"""Seconds that a start may take; it takes a tenth of one, more with a large store."""
LEAVE = 5.0
"""Seconds that the child has to end politely."""
LOOK = 0.25
"""Seconds between looks whether it lives."""
BACKOFF = (0.0, 0.1, 0.5, 1.0, 2.0)
"""Seconds before each new start; the last one for ever."""
STEADY = 5.0
"""Seconds after which a start has not failed."""
PAYLOAD = (1 << 20) + (64 << 10)
"""Bytes of a message: an event of 1 MiB and what the envelope adds to it."""
STORE = 4 << 30
"""Bytes that the store may take on the disk."""

ROOM = 16 << 20
"""Bytes without which its store cannot be written."""

GRAVE = re.compile(r"\[(FTL|ERR)\](?!.* - cid:)").search
"""What the server says of itself; of its clients it says which one."""
STAMP = re.compile(r"^\[\d+\] [\d/]+ [\d:.]+ ")
"""Who said it and when: the same trouble again is no news."""

_BOUND = """
import ctypes, os, signal, sys
fence, owner, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
os.ftruncate(fence, 0)
os.pwrite(fence, str(os.getpid()).encode(), 0)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
if os.getppid() == owner:  # else it died in between
    os.execv(program[0], program)
"""
"""Becomes the server after it has signed the fence and bound its life to its owner's.

A process of its own, because code between fork and exec is not safe beside threads.
"""


class NatsServer:
    """The child: started, watched, loaded anew, ended."""

    name = "nats-server"

    def __init__(self, home: Path, binary: Binary, accounts: Callable[[], str]) -> None:
        self.folder = home / "nats"
        self.binary = binary
        self.failure = ""
        self.starts = 0
        """How often it was started."""
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._accounts = accounts
        """The users and what each may do; asked often, so that a change counts at once."""
        self._text = ""
        self._fence: int | None = None
        self._since = 0.0
        self._failed = 0
        self._suspected = False

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, without waiting: `ready` does that."""
        for folder in (self.folder, self.folder / "store"):  # a home that vanished stays away
            folder.mkdir(mode=0o700, exist_ok=True)
        self._close_fence()
        self._fence = fenced(self.folder / "fence")
        known = number(self.folder / "port") % 65536
        # once it has started, others come back to its port, and shall find nobody else there
        self.port = _free_port(self.port or known, insist=bool(self.port))
        self._write()
        _put(self.folder / "port", str(self.port))
        with (self.folder / "server.err").open("wb") as said:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", "-c", _BOUND),
                    *(str(self._fence), str(os.getpid())),
                    *(self.binary.path, "-c", self.folder / "server.conf"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                pass_fds=[self._fence],
                start_new_session=True,  # Ctrl-C is for its owner, who then ends it
            )
        self.starts += 1
        self._since = time.monotonic()

    async def ready(self) -> None:
        """Return when it answers; an error says why it does not."""
        ends = time.monotonic() + READY
        while True:
            if self.process is None or self.process.poll() is not None:
                raise LogUnavailable(
                    f"the nats-server ended at once: {self._last_words()}",
                    where=str(self.folder / "server.log"),
                )
            found = await asyncio.to_thread(greeting, self.url)
            if found.get("jetstream") and found.get("server_name") == _named(self.folder):
                self.failure = ""
                return
            if time.monotonic() > ends:
                raise LogUnavailable(
                    f"the nats-server does not answer within {READY:g} s: {self._last_words()}",
                    where=str(self.folder / "server.log"),
                )
            await asyncio.sleep(0.005)

    async def run(self) -> None:
        """Keep it alive until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            if self.process is None or self.process.poll() is not None:
                await self._revive()
                continue
            self.reload()
            if self._suspected:
                await self._renew()
            if self._failed and time.monotonic() - self._since > STEADY:
                self._failed = 0

    async def _revive(self) -> None:
        child, self.process = self.process, None
        if child is not None:
            code = child.returncode
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            self._fails(f"the nats-server has ended ({how}): {self._last_words()}")
        await asyncio.sleep(BACKOFF[min(self._failed, len(BACKOFF) - 1)])
        self._failed += 1
        try:
            self.start()
            await self.ready()
        except (RatchetError, OSError) as error:
            self._fails(f"the nats-server cannot be started: {error}")
            if self.process is not None and self.process.poll() is not None:
                self.process = None  # how it ended has just been said
        else:
            log.info("the nats-server is there again: %s", self.url)

    def _fails(self, why: str) -> None:
        """Said once, however often it is tried."""
        if why != self.failure:
            log.error("%s", why)
        self.failure = why

    def suspect(self) -> None:
        """It takes nothing any more. After a full disk a stream stays shut until a new start."""
        self._suspected = True

    async def _renew(self) -> None:
        self._suspected = False
        free = shutil.disk_usage(self.folder).free
        if free < ROOM:
            self.failure = f"the disk is full: {free >> 20} MiB are free at {self.folder}"
        elif time.monotonic() - self._since > STEADY:
            log.warning("the nats-server takes nothing any more: it is started again")
            await self._end()
            await self._revive()

    def reload(self) -> None:
        """Have it take over users that have changed, without letting go of the others."""
        try:
            changed = self._write()
        except (OSError, RatchetError) as error:
            self.failure = f"the users of the nats-server cannot be changed: {error}"
            return
        if changed and self.process is not None:
            self.process.send_signal(signal.SIGHUP)
            log.info("the nats-server loads its users anew")

    async def stop(self) -> None:
        await self._end()
        self._close_fence()

    async def _end(self) -> None:
        child, self.process = self.process, None
        if child is None:
            return
        ways = [(child.terminate, LEAVE), (child.kill, LEAVE)]
        if not self.folder.exists():  # to end politely it would make its folders anew
            ways = ways[1:]
        for ask, seconds in ways:
            ask()
            ends = time.monotonic() + seconds
            while child.poll() is None and time.monotonic() < ends:
                await asyncio.sleep(0.005)

    def _close_fence(self) -> None:
        if self._fence is not None:
            os.close(self._fence)
            self._fence = None

    def _write(self) -> bool:
        """Write the configuration; whether it has changed."""
        text = configuration(self.folder, self.port, self._accounts())
        if text == self._text:
            return False
        _put(self.folder / "server.conf", text)
        self._text = text
        return True

    def _last_words(self) -> str:
        """What it said last, on the chance that this is the reason."""
        for file in (self.folder / "server.err", self.folder / "server.log"):
            with suppress(OSError):
                lines = file.read_text(errors="replace").strip().splitlines()
                grave = [one for one in lines if GRAVE(one)]
                if lines and (grave or file.suffix == ".err"):
                    return STAMP.sub("", (grave or lines)[-1])[:300]
        return "it said nothing"


def configuration(folder: Path, port: int, accounts: str) -> str:
    """The server's configuration. Its store can be made again from the log: no fsync for each."""
    return f"""\
server_name: {_named(folder)}
listen: "127.0.0.1:{port}"
max_payload: {PAYLOAD}
log_file: {json.dumps(str(folder / "server.log"))}
logfile_size_limit: 10MB
logfile_max_num: 3
jetstream {{
  store_dir: {json.dumps(str(folder / "store"))}
  max_memory_store: 64MB
  max_file_store: {STORE}
}}
{accounts}
"""


def _free_port(wanted: int, insist: bool) -> int:
    """`wanted`, if it can be had, else any; to insist is to be told where it cannot."""
    try:
        with listening_socket("127.0.0.1", wanted, insist) as probe:
            return int(probe.getsockname()[1])
    except PlaceTaken as taken:
        right = "end that program: those who were here come back to this port"
        raise PlaceTaken(taken.what, where=f"127.0.0.1:{wanted}", right=right) from None


def _named(folder: Path) -> str:
    """A name by which the server of this folder is told from one that took its port before it."""
    return f"ratchet-{sha256(str(folder.absolute()).encode()).hexdigest()[:12]}"


def greeting(url: str, seconds: float = 2.0) -> dict[str, object]:
    """What the server says to whoever connects, or {} while it does not."""
    parts = urlsplit(url if "://" in url else f"nats://{url}")
    with suppress(OSError, ValueError):
        address = (parts.hostname or "127.0.0.1", parts.port or 4222)
        with socket.create_connection(address, seconds) as reached, reached.makefile("rb") as said:
            found = json.loads(said.readline().removeprefix(b"INFO "))
            return found if isinstance(found, dict) else {}
    return {}


def _put(file: Path, text: str) -> None:
    made = file.with_suffix(".new")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as written:
        written.write(text)
    os.replace(made, file)
