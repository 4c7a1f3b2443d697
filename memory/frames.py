"""Messages between us and a process of our own, over a socket that nobody else holds."""

from __future__ import annotations

import pickle
import socket
import struct
from typing import Any, BinaryIO

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


def received(heard: BinaryIO) -> Any:
    """Hear one; None when the other end is gone."""
    try:
        head = heard.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return None
        (many,) = LENGTH.unpack(head)
        body = heard.read(many)
    except OSError:
        return None
    return unpacked(body) if len(body) == many else None
