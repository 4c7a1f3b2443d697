"""The event that the benchmarks append: 200 characters of text, with its envelope about 700 bytes."""

from __future__ import annotations

from events.message import Event

TEXT = "the quick brown fox jumps over the lazy dog, and goes on to the next one; " * 3
TEXT = TEXT[:200]


class Noted(Event, wire="BenchNoted", by="anyone", stream="bench/{who}"):
    """Somebody noted something down."""

    who: str
    text: str
