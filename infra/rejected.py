"""Messages that were refused, kept with the reason for whoever wonders where theirs went.

A help and not a promise: the file is bounded, the bodies are cut, and where it cannot be written
nobody is told, because the refusal itself has already been said to the sender.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from events.envelope import format_time
from events.memory import utc_now

BODY = 4096
"""Bytes of a refused message that are kept."""
FULL = 1 << 20
"""Bytes after which the file makes room; the one before it is kept as `.1`."""


class Rejected:
    """The file of one home."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "rejected.jsonl"
        self.count = 0
        """Since this process began."""

    def keep(self, actor: str, reason: dict[str, str], body: bytes) -> None:
        """Add one. Never fails."""
        self.count += 1
        entry = {
            "time": format_time(utc_now()),
            "actor": actor,
            "reason": reason,
            "body": body[:BODY].decode("utf-8", "backslashreplace"),
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
