"""Experts for whoever has no endpoint configured: a child process on loopback.

Its port is any free one, its key is made anew each time, and it dies with its parent. The very
same client code runs as with a cloud model.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from pydantic import SecretStr

from events.errors import LogUnavailable, Malformed
from guardrails.endpoint import Endpoint
from infra.experts.expert import PARTS
from infra.sockets import listening_socket
from trainers.model_types.finding import model_type

STARTS = 30.0
"""Seconds in which the child has to be ready; it takes less than one on an idle machine."""
ENDS = 6.0
CONCURRENCY = 64


class Experts(NamedTuple):
    """The endpoints of one type."""

    teacher: Endpoint
    verifier: Endpoint
    writer: Endpoint


@asynccontextmanager
async def experts(names: Sequence[str]) -> AsyncIterator[dict[str, Experts]]:
    """The experts of these model types, by the name under which each was asked for."""
    key = secrets.token_urlsafe(24)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours:
        port, child = _begun(names, theirs)
        try:
            await _ready(ours, key, names)
            yield {name: _endpoints(name, f"http://127.0.0.1:{port}/v1", key) for name in names}
        finally:
            ours.close()
            await asyncio.shield(asyncio.to_thread(_ended, child))


def _begun(names: Sequence[str], theirs: socket.socket) -> tuple[int, subprocess.Popen[bytes]]:
    """The port, and the child. It alone keeps the door: where it died, callers are refused."""
    with theirs, listening_socket("127.0.0.1", 0, insist=True) as door:
        port = int(door.getsockname()[1])
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "infra.experts", *names),
                *("--listen", str(door.fileno()), "--channel", str(theirs.fileno())),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[door.fileno(), theirs.fileno()],
            start_new_session=True,
        )
    return port, child


def _endpoints(name: str, url: str, key: str) -> Experts:
    kind = model_type(name).name
    teacher, verifier, writer = (
        Endpoint(
            name=f"expert-{kind}-{part}",
            url=url,
            model=f"expert:{kind}:{part}",
            key=SecretStr(key),
            concurrency=CONCURRENCY,
        )
        for part in PARTS
    )
    return Experts(teacher, verifier, writer)


async def _ready(channel: socket.socket, key: str, names: Sequence[str]) -> None:
    loop = asyncio.get_running_loop()
    said = b""
    try:
        async with asyncio.timeout(STARTS):
            await loop.sock_sendall(channel, key.encode() + b"\n")
            while not said.endswith(b"\n"):
                part = await loop.sock_recv(channel, 1 << 16)
                if not part:
                    break
                said += part
    except (TimeoutError, OSError):
        said = b""
    answer = json.loads(said) if said.endswith(b"\n") else {}
    if "error" in answer:
        wrong = answer["error"]
        raise Malformed(wrong["what"], where=wrong["where"], right=wrong["right"])
    if not answer.get("ready"):
        raise LogUnavailable(f"the experts of {', '.join(names)} did not start", where="experts")


def _ended(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(ENDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
