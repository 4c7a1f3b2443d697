"""A home: the folder that holds one log, its keys, and the note of who owns it.

One process owns a home at a time, by a lock that the kernel takes back when the process dies. An
owner that runs for long (`ratchet up`) leaves a note, `up.json`, so that others write through it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from events.chain import Signer
from events.errors import LogDamaged, LogUnavailable, NotBegun, OwnerBusy, ReadOnly
from events.keeper import Keeper
from events.memory import MemoryStore
from events.sql.sqlite import SqliteStore, begun
from events.store import EventStore

WAIT = 10.0
"""Seconds to wait for an owner that holds the lock and does not answer."""


@dataclass(frozen=True)
class Home:
    """Where everything of one installation lies."""

    folder: Path
    store_url: str = field(default="", repr=False)
    """Of a log that this home shares with others; its keys, artifacts and notes stay here."""
    artifacts_url: str = field(default="", repr=False)
    """Of a place for large things that others reach too."""

    @property
    def database(self) -> Path:
        return self.folder / "log.db"

    @property
    def note(self) -> Path:
        return self.folder / "up.json"

    @property
    def moved(self) -> Path:
        """Says where the log went, once it was copied to another place."""
        return self.folder / "moved.json"

    @property
    def mainstay(self) -> Path:
        """The file without which this home is none."""
        return self.keys / "head.key" if self.store_url else self.database

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def artifacts(self) -> str:
        """Where large things lie: the URL of a folder."""
        return self.artifacts_url or str(self.folder / "artifacts")

    @property
    def public_key(self) -> str | None:
        """The key by which heads are checked, in hex."""
        with suppress(OSError):
            return (self.keys / "head.pub").read_text().strip()
        return None

    def reader(self) -> EventStore:
        """The log for reading; where there is none yet, an empty one."""
        if self.store_url:
            return self._shared(None, Keeper.found(self.keys))
        if self._empty():
            return MemoryStore()
        try:
            return SqliteStore(self.database, keeper=Keeper.found(self.keys))
        except NotBegun:
            return MemoryStore()

    def writer(self) -> EventStore:
        """The log for writing. Only for who holds the lock."""
        if self.store_url:
            self._not_two()
            return self._shared(Signer.of(self.keys), Keeper.of(self.keys))
        if not self._empty() and not (self.keys / "head.key").exists() and begun(self.database):
            self._keyless()
        store = SqliteStore(self.database, Signer.of(self.keys), keeper=Keeper.of(self.keys))
        self._made.touch(mode=0o600, exist_ok=True)
        return store

    @property
    def _made(self) -> Path:
        """Stands once the database has been made: from then on it is never empty again."""
        return self.keys / "log.made"

    def _empty(self) -> bool:
        """Whether there is no log yet; one that was there and is gone is an error."""
        if self.moved.exists():
            raise ReadOnly(
                f"the log of this home was moved to {self.moved_to()}",
                where=str(self.folder),
                right="set store.url, for instance with RATCHET__STORE__URL=postgres://...",
            )
        if self.database.exists() and self.database.stat().st_size:
            return False
        if self._made.exists():
            raise LogDamaged(
                "the log's database is gone or was emptied",
                where=str(self.database),
                right="bring it back from a backup; to begin anew, remove the whole folder",
            )
        return True

    def _keyless(self) -> NoReturn:
        """Refuse to go on with a log whose key is gone: a new one would sign nothing that fits, and
        stand in the way of the old one."""
        raise LogDamaged(
            "the key that signs this home's log is gone",
            where=str(self.keys / "head.key"),
            right="bring the folder keys/ back from a backup; reading and audits go on",
        )

    def moved_to(self) -> str | None:
        """The server and the database to which the log went."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return str(json.loads(self.moved.read_text())["to"])
        return None

    def _shared(self, signer: Signer | None, keeper: Keeper | None) -> EventStore:
        from events.sql.postgres.store import PostgresStore  # 60 ms, and most homes have a file

        return PostgresStore(self.store_url, signer, keeper=keeper)

    def _not_two(self) -> None:
        """Refuse to begin a second history beside the one that lies in the home."""
        if self.database.exists() and self.database.stat().st_size and not self.moved.exists():
            raise ReadOnly(
                "this home has a log of its own, and store.url names another",
                where=str(self.database),
                right="`ratchet move --to URL` copies it there; or use an empty home",
            )

    def owner(self) -> dict[str, Any] | None:
        """What the present owner says about itself, if one runs for long."""
        try:
            found = json.loads(self.note.read_text())
        except (OSError, ValueError):
            return None
        if not isinstance(found, dict) or not _alive(found.get("pid")):
            return None
        return found

    def announce(self, note: dict[str, Any]) -> None:
        """Leave the note, readable for this user only."""
        made = self.note.with_suffix(f".{os.getpid()}")
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(note, file)
        os.replace(made, self.note)

    def retire(self) -> None:
        """Take the note away, if it is ours."""
        owner = self.owner()
        if owner is not None and owner.get("pid") == os.getpid():
            with suppress(OSError):
                self.note.unlink()


class Lock:
    """The ownership of a home, for as long as it is held."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._handle: int | None = None

    def take(self) -> bool:
        """Whether the lock is ours now."""
        try:
            self._home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._home.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ReadOnly(
                f"the home cannot be written ({error.strerror})",
                where=str(self._home.folder),
                right="make the folder writable for this user, or name another with --home",
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def wait(self, seconds: float = WAIT) -> None:
        """Take the lock, or say who has it."""
        ends = time.monotonic() + seconds
        while not self.take():
            if time.monotonic() > ends:
                raise busy(self._home, seconds)
            time.sleep(0.05)

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def busy(home: Home, waited: float) -> LogUnavailable:
    """Another process has the home, and this one cannot wait any longer."""
    owner = home.owner()
    who = f"process {owner['pid']}" if owner else "another process"
    return OwnerBusy(
        f"{who} owns this home and did not let go or answer within {waited:g} s",
        where=str(home.folder),
        right="stop it, or name another folder with --home",
    )


def _alive(pid: object) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
