"""Bearer tokens of a home: who bears them and what each may do. Only their hashes are kept.

The file is read again when it has changed, so that a token added or removed beside a running owner
counts from the next call on.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import bcrypt
from pydantic import StringConstraints, ValidationError

from events.envelope import format_time
from events.errors import Conflict, Malformed, NotFound, ReadOnly
from events.memory import utc_now
from events.message import Name, Value
from events.suggest import near

SCOPES = ("publish", "read", "worker", "admin")
"""`admin` may do what all the others may."""


class Token(Value):
    """What is kept of a token."""

    name: Name
    scopes: tuple[str, ...]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    created: str
    bcrypt: str = ""
    """The same for a nats-server; '' in files that are older than it."""


class Kept(Value):
    """The file."""

    tokens: tuple[Token, ...] = ()


def digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class Tokens:
    """The tokens of one home."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read: tuple[Token, ...] = ()
        self._mark: tuple[int, int, int] | None = None

    def all(self) -> tuple[Token, ...]:
        """Those that are known now."""
        try:
            found = self._file.stat()
        except FileNotFoundError:
            self._read, self._mark = (), None
            return ()
        mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        if mark != self._mark:
            self._read, self._mark = self._loaded(), mark
        return self._read

    def bearer(self, secret: str) -> Token | None:
        """Whose token this is. Compares with every one, in a time that tells nothing."""
        presented, found = digest(secret), None
        for token in self.all():
            if hmac.compare_digest(token.sha256, presented):
                found = token
        return found

    def add(self, name: str, scopes: Sequence[str]) -> str:
        """A new token, told this once."""
        secret = f"rt_{secrets.token_urlsafe(32)}"
        try:
            made = Token(
                name=name,
                scopes=_checked(scopes),
                sha256=digest(secret),
                created=format_time(utc_now()),
                bcrypt=hashed(secret),
            )
        except ValidationError:
            raise Malformed(
                f"{name[:60]!r} is no name for a token",
                where="NAME",
                right="letters, digits, '.', '_' and '-', at most 100 of them",
            ) from None
        with self._changing() as tokens:
            if any(token.name == name for token in tokens):
                right = f"another name, or `ratchet tokens remove {name}` first"
                raise Conflict(f"there is a token {name!r} already", where="NAME", right=right)
            self._write((*tokens, made))
        return secret

    def remove(self, name: str) -> None:
        """Whoever bears it is turned away from now on."""
        with self._changing() as tokens:
            left = tuple(token for token in tokens if token.name != name)
            if len(left) == len(tokens):
                hint = near(name, [token.name for token in tokens])
                right = f"did you mean {hint!r}?" if hint else "`ratchet tokens list` shows them"
                raise NotFound(f"there is no token {name[:60]!r}", where="NAME", right=right)
            self._write(left)

    @contextmanager
    def _changing(self) -> Iterator[tuple[Token, ...]]:
        """One change at a time: a second one waits, and builds on the first."""
        folder = self._file.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise _unwritable(self._file, error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield self.all()
        finally:
            os.close(handle)

    def _loaded(self) -> tuple[Token, ...]:
        try:
            return Kept.model_validate_json(self._file.read_bytes()).tokens
        except (OSError, ValidationError) as error:
            raise Malformed(
                f"the tokens cannot be read ({' '.join(str(error).split())[:200]})",
                where=str(self._file),
                right="remove the file and add the tokens anew",
            ) from None

    def _write(self, tokens: tuple[Token, ...]) -> None:
        made = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as file:
                json.dump(Kept(tokens=tokens).model_dump(mode="json"), file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            os.replace(made, self._file)
        except OSError as error:
            with suppress(OSError):
                made.unlink()
            raise _unwritable(self._file, error) from None


def hashed(secret: str, rounds: int = 4) -> str:
    """For a nats-server. Few rounds do for 256 random bits, which nobody guesses anyway."""
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(rounds, b"2a")).decode()


def _checked(scopes: Sequence[str]) -> tuple[str, ...]:
    for scope in scopes:
        if scope not in SCOPES:
            hint = near(scope, SCOPES)
            right = f"did you mean {hint!r}?" if hint else f"one of {', '.join(SCOPES)}"
            raise Malformed(f"there is no scope {scope[:60]!r}", where="--scope", right=right)
    if not scopes:
        right = f"--scope, once for each: {', '.join(SCOPES)}"
        raise Malformed("a token without a scope opens nothing", where="--scope", right=right)
    return tuple(scope for scope in SCOPES if scope in scopes)


def _unwritable(file: Path, error: OSError) -> ReadOnly:
    return ReadOnly(
        f"the tokens cannot be written ({error.strerror})",
        where=str(file),
        right="make the folder writable for this user, or name another with --home",
    )
