"""Where a server listens: its own socket, bound before anything is told about it."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address

from events.errors import Malformed, RatchetError


class PlaceTaken(RatchetError):
    """The address is another program's, or not one of this machine."""

    exit_code = 4


def listening_socket(host: str, port: int, insist: bool) -> socket.socket:
    """Bound and listening. Without `insist` a taken port gives way to a free one."""
    try:
        family, _, _, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        right = "an address of this machine, for instance 127.0.0.1"
        raise Malformed(f"{host!r} is no address ({error})", where="--host", right=right) from None
    # asyncio turns off Nagle's delay (40 ms an answer) only where the protocol is named
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(place)
        made.listen(2048)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE and not insist:
            return listening_socket(host, 0, insist=True)
        taken = error.errno == errno.EADDRINUSE
        what = f"port {port} is taken by another program"
        raise PlaceTaken(
            what if taken else f"port {port} of {host!r} cannot be opened ({error.strerror})",
            where="--port" if taken else f"{host}:{port}",
            right="another port, or 0 for any free one" if taken else "another address or port",
        ) from None
    made.setblocking(False)
    return made


def is_loopback(host: str) -> bool:
    """Whether the name or address can only mean this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
