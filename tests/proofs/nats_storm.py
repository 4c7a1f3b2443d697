"""The storm over NATS: the owner, its nats-server, workers on other machines, publishers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import nats

from events.store import every
from infra.home import Home
from infra.tokens import Tokens
from tests.proofs.crash import Found, Storm, killed, started

WORKERS = 2
PUBLISHERS = 3


class NatsStorm(Storm):
    """Nobody but workers over NATS carries out requests; nobody publishes but over NATS."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.killed: dict[str, int] = {}
        self._workers: dict[int, tuple[str, subprocess.Popen[bytes]]] = {}
        self._token = ""

    def begin(self, misfire: str = "all") -> None:
        super().begin(misfire)
        self._token = Tokens(self.home / "tokens.json").add("far", ["worker"])

    def rage(self, kills: int, pause: float = 0.02) -> None:
        """Kill so many times, each kind about as often, at moments of all kinds."""
        try:
            while self.kills < kills:
                self._stand_up(pause)
                time.sleep(self.random.choice((0.05, 0.3, 1.0)) * self.random.random())
                if self.random.random() < 0.7:
                    self._wait_for_owner()
                    time.sleep(self.random.random())
                kind = self.random.choice(("up", "server", "worker", "publisher"))
                if self._kill(kind):
                    self.kills += 1
                    self.killed[kind] = self.killed.get(kind, 0) + 1
        finally:
            for publisher in self._publishers.values():
                killed(publisher)
        self._stand_up_alone()

    def _kill(self, kind: str) -> bool:
        match kind:
            case "up":
                assert self._up is not None
                killed(self._up)
            case "worker":
                if not self._workers:
                    return False
                _, process = self._workers.pop(self.random.choice(sorted(self._workers)))
                killed(process)
            case "publisher":
                killed(self._publishers[self.random.randrange(PUBLISHERS)])
            case _:
                pid = self._server()
                if not pid:
                    return False
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return True

    def _server(self) -> int:
        """The process id of the nats-server, as its fence names it, if it is ours and alive."""
        with suppress(OSError, ValueError):
            pid = int((self.home / "nats" / "fence").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            return pid if str(self.home).encode() in command else 0
        return 0

    def _stand_up(self, pause: float) -> None:
        self._stand_up_alone()
        for number in range(PUBLISHERS):
            publisher = self._publishers.get(number)
            if publisher is None or publisher.poll() is not None:
                notes = str(self.folder / f"notes-{number}")
                self._publishers[number] = started(
                    "-m", "tests.proofs.nats_publisher", str(self.home), notes, str(pause),
                    log=self.folder / f"publisher-{number}.log", home=self.home,
                )  # fmt: skip
        self._hire()

    def _hire(self) -> None:
        """Workers that live; one whose server came back elsewhere is sent there."""
        url = _place((Home(self.home).owner() or {}).get("nats"))
        if not url:
            return
        for number in range(WORKERS):
            at, process = self._workers.get(number, ("", None))
            if process is not None and at != url:
                killed(process)
            if process is None or process.poll() is not None:
                process = started(
                    "-m", "infra.cli.main", "worker", "--url", url, "--token", self._token,
                    log=self.folder / f"worker-{number}.log", home=self.home,
                )  # fmt: skip
                self._workers[number] = (url, process)

    def _stand_up_alone(self) -> None:
        os.environ["RATCHET__WORKERS__SLOTS"] = "0"
        try:
            super()._stand_up_alone()
        finally:
            del os.environ["RATCHET__WORKERS__SLOTS"]

    def calm(self, seconds: float = 120.0) -> None:
        self._wait_for_owner()
        self._hire()
        self.told = asyncio.run(self._told())
        try:
            super().calm(seconds)
        finally:
            for _, process in self._workers.values():
                killed(process)

    async def _told(self) -> list[str]:
        """In what the stream on the server differs from the log."""
        owner = Home(self.home).owner()
        assert owner is not None
        store, client = Home(self.home).reader(), await nats.connect(owner["nats"])
        try:
            return await _differences(store, client.jetstream())
        finally:
            await client.close()
            await store.close()

    def found(self) -> Found:
        found = super().found()
        found.faults += self.told
        return found


def _place(url: str | None) -> str:
    """The address without its user and password."""
    return f"nats://{url.rpartition('@')[2]}" if url else ""


async def _differences(store: Any, js: Any, patience: float = 20.0) -> list[str]:
    head = (await store.head()).position
    ends = time.monotonic() + patience
    while (last := (await js.stream_info("RATCHET")).state.last_seq) < head:
        if time.monotonic() > ends:
            return [f"the stream ends at {last}, the log had {head} long ago"]
        await asyncio.sleep(0.1)
    state = (await js.stream_info("RATCHET")).state
    faults = [] if state.messages == state.last_seq else [f"the stream has holes: {state}"]
    reading = await js.subscribe("ratchet.events.>", ordered_consumer=True)
    async for batch in every(store, until=head):
        for envelope in batch:
            message = await reading.next_msg(timeout=5)
            position = message.metadata.sequence.stream
            if (position, message.headers["Nats-Msg-Id"]) != (
                envelope.position,
                envelope.event_id,
            ):
                faults.append(f"{position} on the server is not {envelope.position} of the log")
    await reading.unsubscribe()
    return faults[:5]
