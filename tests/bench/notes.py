"""A log of notes: the event that is appended, the log that is replayed, and its fold.

A note has 200 characters of text; with its envelope and its indexes it takes about 1,000 bytes.
"""

from __future__ import annotations

from pathlib import Path

from events.chain import Signer
from events.fact import Fact
from events.message import event_classes
from events.projection import Projection, State
from events.sql.sqlite import SqliteStore
from events.store import append
from tests.events.messages import Noted

STREAMS = 64
TEXT = "The quick brown fox jumps over the lazy dog, and goes on to the next. " * 3
TEXT = TEXT[:200]


def note(number: int) -> Noted:
    """One note, in one of the streams by turns."""
    return Noted(about=f"w{number % STREAMS}", text=TEXT)


def _apply(state: State, told: Fact) -> None:
    if isinstance(told.event, Noted):
        row = state.setdefault(told.event.about, {"count": 0})
        row["text"] = told.event.text
        row["count"] += 1


def notes() -> Projection:
    """The newest note in each stream, and how many there were; it hears every type there is."""
    return Projection("notes", "1", frozenset(event_classes()), _apply)


async def filled(path: Path, events: int) -> None:
    """A log of so many notes."""
    store = SqliteStore(path, Signer.fresh())
    for start in range(0, events, 1000):
        some = [note(number) for number in range(start, min(start + 1000, events))]
        await append(store, *some, actor="bench")
    await store.close()
