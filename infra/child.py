"""A server of ours on loopback, as a child of the process that needs it: the parent's side.

Its port is any free one, its key is made anew each time, and it dies with its parent, however that
goes: the channel between them closes. The very same client code runs as with a server elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pydantic import SecretStr

from events.errors import LogUnavailable
from infra.sockets import listening_socket

ENDS = 6.0
"""Seconds that it has to end politely."""


class ChildFailed(LogUnavailable):
    """The child did not come up, and may have said why."""


class Child:
    """One child that has come up."""

    def __init__(
        self, port: int, key: str, process: subprocess.Popen[bytes], channel: socket.socket
    ) -> None:
        self.url = f"http://127.0.0.1:{port}/v1"
        self.key = SecretStr(key)
        self._process, self._channel = process, channel

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    async def end(self) -> None:
        """Let it go."""
        self._channel.close()
        await asyncio.shield(asyncio.to_thread(self._ended))

    def _ended(self) -> None:
        try:
            self._process.wait(ENDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


async def begun(module: str, arguments: Sequence[str], name: str, seconds: float) -> Child:
    """A child that runs this module and is ready to answer; an error with its reason if not."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs, listening_socket("127.0.0.1", 0, insist=True) as door:
        port = int(door.getsockname()[1])
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", module, *arguments),
                *("--listen", str(door.fileno()), "--channel", str(theirs.fileno())),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[door.fileno(), theirs.fileno()],
            start_new_session=True,  # Ctrl-C is for its parent, who then lets it go
        )
    child = Child(port, secrets.token_urlsafe(24), process, ours)
    try:
        said = await _said(ours, child.key.get_secret_value(), seconds)
    except BaseException:
        await child.end()
        raise
    if not said.get("ready"):
        await child.end()
        wrong = said.get("error") or {"what": f"{name} did not start", "where": name, "right": ""}
        raise ChildFailed(wrong["what"], where=wrong["where"], right=wrong["right"])
    return child


async def _said(channel: socket.socket, key: str, seconds: float) -> dict[str, Any]:
    """Its first line, when it has the key."""
    loop = asyncio.get_running_loop()
    said = b""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(seconds):
            await loop.sock_sendall(channel, key.encode() + b"\n")
            while not said.endswith(b"\n"):
                part = await loop.sock_recv(channel, 1 << 16)
                if not part:
                    break
                said += part
    return dict(json.loads(said)) if said.endswith(b"\n") else {}
