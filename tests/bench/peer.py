"""The peer: the `eventsourcing` library with its own stores, as its documentation sets them up."""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.bench.notes import STREAMS, TEXT
from tests.bench.results import PeerMissing

try:
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event
except ImportError:
    raise PeerMissing("the peer `eventsourcing` is not installed; `make bench` does it") from None

_SAVES = (
    f"eventsourcing {version('eventsourcing')}, Application.save of one event at a time, one "
    "thread, JSON transcoding, "
)
SETTINGS = _SAVES + "eventsourcing.sqlite with its defaults: journal_mode=WAL, synchronous=FULL"
POSTGRES = _SAVES + "eventsourcing.postgres (psycopg 3) with its defaults"


class Note(Aggregate):  # type: ignore[misc]  # the peer's types are Any here
    """What the peer keeps: the same text as our event."""

    @event("Noted")  # type: ignore[untyped-decorator]
    def note(self, text: str) -> None:
        self.text = text
        self.count = getattr(self, "count", 0) + 1


class Peer:
    """One application over one file, or over the database of an URL."""

    def __init__(self, place: Path | str) -> None:
        environment = _sqlite(place) if isinstance(place, Path) else _postgres(place)
        self._application: Any = Application(environment)
        self._notes = [Note() for _ in range(STREAMS)]
        self._application.save(*self._notes)

    def append(self, events: int) -> float:
        """Events a second, each saved by itself, in 64 aggregates by turns."""
        application, notes = self._application, self._notes
        began = time.perf_counter()
        for index in range(events):
            note = notes[index % STREAMS]
            note.note(TEXT)
            application.save(note)
        return events / (time.perf_counter() - began)

    def grown(self, events: int) -> Any:
        """The id of an aggregate that has so many events."""
        note = Note()
        for _ in range(events - 1):
            note.note(TEXT)
        self._application.save(note)
        return note.id

    def replay(self, note_id: Any, events: int) -> float:
        """Events a second of one `repository.get`, without cache and without snapshot."""
        began = time.perf_counter()
        note = self._application.repository.get(note_id)
        taken = time.perf_counter() - began
        assert note.version == events
        return events / taken

    def close(self) -> None:
        self._application.close()


def _sqlite(path: Path) -> dict[str, str]:
    return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)}


def _postgres(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.lstrip("/"),
        "POSTGRES_HOST": parts.hostname or "",
        "POSTGRES_PORT": str(parts.port),
        "POSTGRES_USER": parts.username or "",
        "POSTGRES_PASSWORD": parts.password or "",
    }
