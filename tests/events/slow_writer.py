"""A writer of a shared log in a process of its own, whose transactions take their time.

It is killed at random, also while it holds the lock. Before it sends an event it writes down the
id; once it was answered, the position.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path
from typing import Any

from events.chain import Signer
from events.envelope import draft
from events.errors import LogUnavailable
from events.ids import new_id
from events.sql.postgres import writing
from events.sql.postgres.store import PostgresStore
from events.store import append
from tests.events.messages import Noted


async def main(url: str, keys: Path, notes: Path, name: str) -> None:
    chance, plain = random.Random(name), writing.add

    async def slow(db: Any, *rest: Any) -> Any:
        """Sometimes the transaction sits there, before or after its rows were written."""
        await asyncio.sleep(chance.choice((0, 0, 0, 0.02)))
        added = await plain(db, *rest)
        await asyncio.sleep(chance.choice((0, 0, 0, 0.02)))
        return added

    setattr(writing, "add", slow)  # noqa: B010  (mypy would not have it otherwise)
    store = PostgresStore(url, Signer.of(keys))
    waiting = unfinished(notes)
    handle = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        if not waiting:
            waiting = [new_id() for _ in range(chance.randint(1, 3))]
            os.write(handle, f"wants {' '.join(waiting)}\n".encode())
        said = [draft(Noted(about=f"{name}-{one[-1]}"), one) for one in waiting]
        try:
            answers = await append(store, *said)
        except LogUnavailable:
            await asyncio.sleep(0.05)
            continue
        for answer in answers:
            os.write(handle, f"has {answer.event_id} {answer.position}\n".encode())
        waiting = []


def unfinished(notes: Path) -> list[str]:
    """The ids whose answer the process before this one did not live to write down."""
    lines = [line.split() for line in notes.read_text().splitlines()] if notes.exists() else []
    had = {words[1] for words in lines if words[0] == "has"}
    wanted = [words[1:] for words in lines if words[0] == "wants"]
    return wanted[-1] if wanted and not set(wanted[-1]) <= had else []


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]))
