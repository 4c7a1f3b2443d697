"""Where a Postgres is: an address, which may be told without its password."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from events.errors import Malformed

_EXAMPLE = "postgres://USER:PASSWORD@HOST:5432/DATABASE"
_OPTIONS = {"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"}


class Address(NamedTuple):
    """One database on one server."""

    url: str
    """As it was given, with whatever it holds of secrets."""
    place: str
    """The server and the database: what messages say."""

    def __repr__(self) -> str:
        return self.place


def address(url: str) -> Address:
    """The address that `url` names; an error says what is wrong, and nothing of the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _malformed("it cannot be taken apart") from None
    if parts.scheme not in ("postgres", "postgresql"):
        raise _malformed("it does not begin with postgres://")
    database = unquote(parts.path.lstrip("/"))
    if not database or "/" in database:
        raise _malformed("it names no database")
    said = dict(parse_qsl(parts.query))
    for name in said:
        if name not in _OPTIONS:
            raise _malformed(f"{name!r} is no option of an address", ", ".join(sorted(_OPTIONS)))
    host = said.get("host") or parts.hostname or ""
    if not host:
        raise _malformed("it names no server")
    return Address(url, f"{host}:{said.get('port') or port or 5432}/{database}")


def _malformed(what: str, right: str = _EXAMPLE) -> Malformed:
    return Malformed(f"this is no address of a Postgres: {what}", where="store.url", right=right)
