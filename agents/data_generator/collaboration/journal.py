"""The calls of one part that have come back, so that no death makes them be made again.

One line of JSON for each, written before anybody acts on it: a process that is killed loses only
what was in flight. Lines reach the disk every second and at the end, so a machine that loses power
may make the calls of its last second twice. A torn last line is cut off.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from events.errors import Conflict

SYNC = 1.0
"""Seconds after which lines are sent to the disk."""


class Journal:
    """One file; only one process has it at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.found = 0
        """Calls that an earlier process has made."""
        self.made = 0
        """Calls that this one has made."""
        self.spent: dict[str, float] = {}
        """What all of them had cost when the last line was written."""
        self._kept: dict[str, tuple[str, Any]] = {}
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._synced = time.monotonic()
        self._syncing: asyncio.Task[None] | None = None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read()
        except BlockingIOError:
            os.close(self._file)
            right = "wait until it ends"
            raise Conflict(
                "another process builds this part", where=str(path), right=right
            ) from None
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def once(
        self,
        key: str,
        asked: Any,
        make: Callable[[], Awaitable[Any]],
        spent: Callable[[], Mapping[str, float]] = dict,
    ) -> Any:
        """What came of this call: as it was kept, or made now and kept.

        What was kept counts only where the same was asked; both are plain JSON. A call that raises
        is not kept.
        """
        digest = hashlib.sha256(_line(asked)).hexdigest()
        kept = self._kept.get(key)
        if kept is not None and kept[0] == digest:
            return kept[1]
        came = await make()
        self._write({"key": key, "asked": digest, "came": came, "spent": dict(spent())})
        self._kept[key] = (digest, came)
        self.made += 1
        return came

    def close(self) -> None:
        """Send everything to the disk and let others have the file."""
        if self._file >= 0:
            os.fsync(self._file)
            fcntl.flock(self._file, fcntl.LOCK_UN)  # a descriptor that still syncs shares the lock
            os.close(self._file)
            self._file = -1

    def _write(self, line: dict[str, Any]) -> None:
        text = _line(line)
        while text:
            text = text[os.write(self._file, text) :]
        if time.monotonic() - self._synced > SYNC and self._syncing is None:
            self._syncing = asyncio.get_running_loop().create_task(self._sync())

    async def _sync(self) -> None:
        """Off the loop, which would stand still for as long as the disk takes."""
        again = os.dup(self._file)
        try:
            await asyncio.to_thread(os.fsync, again)
        finally:
            os.close(again)
            self._synced, self._syncing = time.monotonic(), None

    def _read(self) -> None:
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(0)
            whole = 0
            for text in file:
                if not text.endswith(b"\n"):
                    break
                try:
                    line = json.loads(text)
                    self._kept[line["key"]] = (line["asked"], line["came"])
                    self.spent = line["spent"]
                except (ValueError, KeyError, TypeError):
                    break
                whole += len(text)
        os.ftruncate(self._file, whole)
        self.found = len(self._kept)


def _line(value: Any) -> bytes:
    return (
        json.dumps(value, ensure_ascii=False, sort_keys=True).encode(errors="surrogatepass") + b"\n"
    )
