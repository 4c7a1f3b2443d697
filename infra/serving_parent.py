"""A server of ours on loopback, as a child of the process that needs it: the child's side.

The parent hands over a socket that listens already and one end of a channel. Over the channel it
says the key; when it closes, the parent is gone, however it went, and the child goes too. What is
wrong before it can answer is told over the channel.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
from collections.abc import Callable

from events.errors import RatchetError
from infra.endpoint import EndpointApp
from infra.experts.server import serve


def serve_parent(
    parser: argparse.ArgumentParser, app: Callable[[argparse.Namespace, str], EndpointApp]
) -> None:
    """Answer until the parent is gone, by the application that is made once the key is known."""
    parser.add_argument("--listen", type=int, required=True, help="the socket to answer on")
    parser.add_argument("--channel", type=int, required=True, help="the socket to the parent")
    asked = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who then goes
    with socket.socket(fileno=asked.channel) as channel, socket.socket(fileno=asked.listen) as door:
        for one in (channel, door):
            one.set_inheritable(False)
        key = _line(channel)
        try:
            made = app(asked, key)
        except RatchetError as error:
            channel.sendall(json.dumps({"error": error.body()}).encode() + b"\n")
            return
        asyncio.run(_serve(made, door, channel))


async def _serve(app: EndpointApp, door: socket.socket, channel: socket.socket) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    channel.setblocking(False)
    door.setblocking(False)

    def heard() -> None:
        try:
            gone = not channel.recv(1)
        except BlockingIOError:
            gone = False
        except OSError:
            gone = True
        if gone:
            loop.remove_reader(channel)
            stop.set()

    loop.add_reader(channel, heard)
    await loop.sock_sendall(channel, b'{"ready": true}\n')
    await serve(app, door, stop.wait())


def _line(channel: socket.socket) -> str:
    text = b""
    while not text.endswith(b"\n"):
        said = channel.recv(1024)
        if not said:
            break
        text += said
    return text.decode().strip()
