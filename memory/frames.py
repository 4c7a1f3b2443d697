"""Messages between us and a process of our own, over a socket that nobody else holds."""

from __future__ import annotations

import pickle
import socket
import struct
from typing import Any

LENGTH = struct.Struct("<I")


def packed(message: Any) -> bytes:
    """A message with its length before it."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(body)) + body


def unpacked(body: bytes) -> Any:
    """Only for what came over a pair of sockets that we have made ourselves."""
    return pickle.loads(body)


def sent(line: socket.socket, message: Any) -> None:
    """Say one."""
    line.sendall(packed(message))


def received(line: socket.socket) -> Any:
    """Hear one; None when the other end is gone."""
    head = _exactly(line, LENGTH.size)
    body = _exactly(line, LENGTH.unpack(head)[0]) if head else b""
    return unpacked(body) if body else None


def _exactly(line: socket.socket, many: int) -> bytes:
    parts = bytearray()
    while len(parts) < many:
        try:
            some = line.recv(min(many - len(parts), 1 << 20))
        except OSError:
            return b""
        if not some:
            return b""
        parts += some
    return bytes(parts)
