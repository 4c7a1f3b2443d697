"""Keys of subjects: one for each person an event is about, wrapped by the key of the home.

What a store keeps of a subject is a row: a token in the place of the name, the id of the key, and
the key, wrapped. Deleting the row is forgetting: what was sealed under it stays in the log, the
chain stays whole, and nobody reads it again. The home's own key never lies in the database.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from events.envelope import Envelope
from events.errors import LogDamaged, LogUnavailable
from events.keyring import Keyring, SubjectKey, unreadable
from events.sealing import SECRET, opened

PEPPER = 32
"""Bytes of the key by which names become tokens: without it nobody can try names out."""


class KeyRow(NamedTuple):
    """A subject's key as it is kept: the columns of the table."""

    token: str
    key_id: str
    wrapped: str


class Keeper:
    """Holds the wrapping key and the pepper of one home."""

    def __init__(self, secret: bytes) -> None:
        self._wrapping = AESSIV(secret[:SECRET])
        self._pepper = secret[SECRET:]

    @classmethod
    def fresh(cls) -> Keeper:
        """One for a log that lives as long as this process."""
        return cls(secrets.token_bytes(SECRET + PEPPER))

    @classmethod
    def of(cls, folder: Path) -> Keeper:
        """The one kept in `folder`, made there on first use."""
        private = folder / "subjects.key"
        if not private.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            written = folder / f"subjects.key.{os.getpid()}"
            handle = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(SECRET + PEPPER) + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(written, private)
        return cls._read(private)

    @classmethod
    def found(cls, folder: Path) -> Keeper | None:
        """The one kept in `folder`, for who only reads; None where this user has none."""
        private = folder / "subjects.key"
        return cls._read(private) if os.access(private, os.R_OK) else None

    @classmethod
    def _read(cls, private: Path) -> Keeper:
        try:
            secret = bytes.fromhex(private.read_text().strip())
        except ValueError:
            secret = b""
        if len(secret) != SECRET + PEPPER:
            raise LogDamaged(
                "the key that keeps personal fields cannot be read",
                where=str(private),
                right="bring the file back from a backup: without it they are lost",
            )
        return cls(secret)

    def token(self, subject: str) -> str:
        """What stands for the subject's name where its key is kept."""
        return hmac.digest(self._pepper, subject.encode("utf-8", "surrogatepass"), "sha256").hex()

    def tokens(self, subjects: Iterable[str]) -> list[str]:
        """By what to look up the rows of these subjects."""
        return [self.token(subject) for subject in subjects]

    def row(self, subject: str, key: SubjectKey) -> KeyRow:
        token = self.token(subject)
        bound = [token.encode(), key.key_id.encode()]
        return KeyRow(token, key.key_id, self._wrapping.encrypt(key.secret, bound).hex())

    def key(self, row: KeyRow) -> SubjectKey:
        bound = [row.token.encode(), row.key_id.encode()]
        try:
            secret = self._wrapping.decrypt(bytes.fromhex(row.wrapped), bound)
        except (InvalidTag, ValueError):
            raise unreadable() from None
        return SubjectKey(row.key_id, secret)

    def check(self, some: Sequence[KeyRow]) -> None:
        """Refuse to begin where another home's key has wrapped what is there. One row may be
        damaged; that is told when its subject is spoken of."""
        for row in some:
            with suppress(LogDamaged):
                self.key(row)
                return
        if some:
            raise unreadable()

    def keyring(self, subjects: Iterable[str], rows: Iterable[KeyRow]) -> Keyring:
        """What was looked up for a batch: rows by the tokens of `subjects`, and by ids of keys."""
        names = {self.token(subject): subject for subject in subjects}
        found, damaged = Keyring(), set[str]()
        for row in rows:
            try:
                key = self.key(row)
            except LogDamaged:
                damaged |= {row.key_id, names.get(row.token, row.key_id)}
                continue
            found.by_id[row.key_id] = key
            if row.token in names:
                found.of[names[row.token]] = key
        found.damaged = frozenset(damaged)
        return found

    def changes(self, keys: Mapping[str, SubjectKey | None]) -> Iterator[tuple[str, KeyRow | None]]:
        """What a batch does to rows: the one under this token goes, another may take its place."""
        for subject, key in keys.items():
            yield self.token(subject), None if key is None else self.row(subject, key)

    def revealed(self, envelopes: Iterable[Envelope], rows: Iterable[KeyRow]) -> list[Envelope]:
        """The envelopes with personal fields in plain text, where their key is still there."""
        keys = {row.key_id: self.key(row) for row in rows}
        return [
            one._replace(data=opened(one.data, keys[one.key_id].secret, one.event_id))
            if one.key_id in keys
            else one
            for one in envelopes
        ]


def key_ids(envelopes: Iterable[Envelope]) -> list[str]:
    """Under which keys they were sealed, each named once."""
    return list(dict.fromkeys(one.key_id for one in envelopes if one.key_id is not None))


def no_keeper(where: str) -> LogUnavailable:
    """What a store says about personal fields when it was opened without a keeper."""
    return LogUnavailable(
        "personal fields cannot be sealed or opened here",
        where=where,
        right="open the log with keys/subjects.key of its home",
    )
