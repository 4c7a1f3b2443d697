"""Messages that were refused, kept with the reason for whoever wonders where theirs went.

A help and not a promise: the file is bounded, the bodies are cut, and where it cannot be written
nobody is told, because the refusal itself has already been said to the sender.

Nothing of a person may stay here, because no key could be deleted to forget it. So only a message
of a type without personal fields is kept whole. Of any other, and of what cannot be read at all,
there is where it went wrong, if that is a place that we know, and the size.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from events.envelope import format_time
from events.memory import utc_now
from events.message import Event, event_class

BODY = 4096
"""Bytes of a refused message that are kept."""
FULL = 1 << 20
"""Bytes after which the file makes room; the one before it is kept as `.1`."""
PLACES = ("type", "data", "id", "token", "reply", "server", "Content-Type", "Content-Encoding")
"""Their names are ours, and no words of the sender's."""
HIDDEN = "the sender was told; what may speak of a person is not kept"


class Rejected:
    """The file of one home."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "rejected.jsonl"
        self.count = 0
        """Since this process began."""

    def keep(self, actor: str, reason: dict[str, str], body: bytes, kind: str = "") -> None:
        """Add one. Never fails. `kind` is the type where the body is the bare data of an event."""
        self.count += 1
        entry = {
            "time": format_time(utc_now()),
            "actor": actor,
            **_told(reason, body, event_class(kind) if kind else _kind(body)),
            "bytes": len(body),
        }
        with suppress(OSError):
            self._write(json.dumps(entry).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        with suppress(FileNotFoundError):
            if self._file.stat().st_size + len(line) > FULL:
                os.replace(self._file, self._file.with_name(f"{self._file.name}.1"))
        handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)


def _kind(body: bytes) -> type[Event] | None:
    """Which event it was to be, if that can be told."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    name = message.get("type") if isinstance(message, dict) else None
    return event_class(name) if isinstance(name, str) else None


def _told(reason: dict[str, str], body: bytes, kind: type[Event] | None) -> dict[str, object]:
    """The reason and the body, as far as they may be kept."""
    if kind is not None and not kind.personal:
        return {"reason": reason, "body": body[:BODY].decode("utf-8", "backslashreplace")}
    where = reason.get("where", "")
    if where == "body":  # its size, or why it is no JSON: nothing of it is repeated
        return {"reason": reason, "body": ""}
    known = where in PLACES or (kind is not None and where in kind.model_fields)
    what = f"a {kind.wire} was refused" if kind else "a message of no known type was refused"
    kept = {"what": what, "where": where if known else "", "right": HIDDEN}
    return {"reason": kept, "body": ""}
