"""Talking to the owner of a home over its loopback API, with the standard library only."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from events import errors

AGAIN = {("token", 401), ("token", 403), ("server", 429), ("server", 503)}
"""Where and how an owner turns a call away that may be welcome in a moment, or to the next one."""
KINDS: dict[int, type[errors.RatchetError]] = {
    403: errors.NotYours,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.TooLarge,
    507: errors.NoRoom,
}


class NoAnswer(Exception):
    """The owner did not answer: it is starting, stopping, or gone."""


def call(
    owner: dict[str, Any], method: str, path: str, body: Any = None, seconds: float = 10.0
) -> Any:
    """One request to the owner; its errors are raised here as what they were there."""
    place = urlsplit(str(owner.get("http")))
    if not place.hostname or not place.port:
        raise NoAnswer("the note names no address")
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=seconds)
    headers = {"Authorization": f"Bearer {owner.get('token', '')}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(str(error)) from None
    finally:
        connection.close()
    try:
        found = json.loads(content)
    except ValueError:
        raise NoAnswer(f"status {answer.status}, and no JSON") from None
    if answer.status >= 400:
        raise _raised(answer.status, found)
    return found


def _raised(status: int, found: Any) -> Exception:
    said = found.get("error") if isinstance(found, dict) else None
    if not isinstance(said, dict):
        return NoAnswer(f"status {status}")
    if (said.get("where"), status) in AGAIN:
        return NoAnswer(str(said.get("what")))
    kind = KINDS.get(status, errors.LogUnavailable if status >= 500 else errors.Malformed)
    texts = {key: str(said.get(key, "")) for key in ("where", "right")}
    return kind(str(said.get("what", "refused")), **texts)
