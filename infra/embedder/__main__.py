"""`python -m infra.embedder`: the local embedder, as a child of the process that needs it.

The parent hands over a socket that listens already and one end of a channel. Over the channel it
says the key; when it closes, the parent is gone, however it went, and the child goes too. Weights
that are not the right ones are told over the channel, and never loaded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket

from events.errors import RatchetError
from infra.embedder.app import App
from infra.experts.server import serve
from trainers.embedding.minilm import MiniLM, on_one_thread
from trainers.embedding.weights import MODEL, checked, folder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.embedder", description=__doc__)
    parser.add_argument("--listen", type=int, required=True, help="the socket to answer on")
    parser.add_argument("--channel", type=int, required=True, help="the socket to the parent")
    asked = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who then goes
    with socket.socket(fileno=asked.channel) as channel, socket.socket(fileno=asked.listen) as door:
        for one in (channel, door):
            one.set_inheritable(False)
        key = _line(channel)
        try:
            app = _app(key)
        except RatchetError as error:
            channel.sendall(json.dumps({"error": error.body()}).encode() + b"\n")
            return
        asyncio.run(_serve(app, door, channel))


def _app(key: str) -> App:
    on_one_thread()
    return App(MiniLM(checked(folder())), MODEL, key)


async def _serve(app: App, door: socket.socket, channel: socket.socket) -> None:
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


if __name__ == "__main__":
    main()
