"""Replies over NATS: a document, or an error in three parts with the name of its kind."""

from __future__ import annotations

import json
from typing import Any

from events import errors
from events.errors import LogUnavailable, RatchetError


def refusal(error: RatchetError) -> dict[str, Any]:
    """An error as it is replied."""
    return {"error": {**error.body(), "kind": type(error).__name__}}


def understood(reply: bytes) -> dict[str, Any]:
    """What was replied; an error is raised here as what it was there."""
    try:
        found = json.loads(reply)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise LogUnavailable("the reply is no JSON object", where="NATS")
    said = found.get("error")
    if isinstance(said, dict):
        kind = getattr(errors, str(said.get("kind")), None)
        if not (isinstance(kind, type) and issubclass(kind, RatchetError)):
            kind = RatchetError
        texts = {key: str(said.get(key, "")) for key in ("where", "right")}
        raise kind(str(said.get("what", "refused")), **texts)
    return found
