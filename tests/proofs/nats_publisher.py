"""Publishes trainings over NATS without end, and writes down what was acknowledged.

It is killed and started again at random. An id is written down before it is first sent, so that
whoever comes after the kill asks for the same event again.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import nats
from nats.errors import Error as NatsError

from events.ids import new_id
from infra.home import Home
from tests.proofs.publisher import WANTED, _note, _unfinished


async def publish(home: Path, notes: Path, pause: float) -> None:
    waiting = _unfinished(notes)
    with notes.open("a") as file:
        while True:
            url = (Home(home).owner() or {}).get("nats")
            if not url:
                await asyncio.sleep(0.05)
                continue
            try:
                waiting = await _over(url, file.fileno(), waiting, pause)
            except (NatsError, OSError, TimeoutError) as error:
                _note(file.fileno(), f"waits {type(error).__name__}")
                lines = notes.read_text().splitlines()
                waiting = _unfinished(notes) if lines else ""
                await asyncio.sleep(0.05)


async def _over(url: str, file: int, waiting: str, pause: float) -> str:
    """Until the connection is lost; the id that waits for an answer."""
    client = await nats.connect(
        url, allow_reconnect=False, connect_timeout=1, error_cb=_quiet, closed_cb=_gone
    )
    try:
        while client.is_connected:
            event_id = waiting or new_id()
            if not waiting:
                _note(file, f"wants {event_id}")
            waiting = event_id
            reply = await client.request(
                "ratchet.publish.TrainingRequested",
                json.dumps(WANTED).encode(),
                timeout=2,
                headers={"Nats-Msg-Id": event_id},
            )
            answer = json.loads(reply.data)
            if "position" not in answer:
                _note(file, f"waits {answer}")
                await asyncio.sleep(0.05)
                continue
            _note(file, f"has {event_id} {answer['position']}")
            waiting = ""
            await asyncio.sleep(pause)
        return waiting
    finally:
        await client.close()


async def _quiet(_error: Exception) -> None:
    """What happens is seen by whoever asks."""


async def _gone() -> None:
    """So is the end."""


if __name__ == "__main__":
    os.environ.pop("RATCHET__NATS__URL", None)
    asyncio.run(publish(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
