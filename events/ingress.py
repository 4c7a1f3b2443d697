"""The one validation for everything that comes from outside: shape, size and authority.

Never state: an unknown role is answered by an agent's decision, with its reason, not here.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

import events.catalog  # noqa: F401  (it makes the wire names known)
from events.envelope import Draft, draft
from events.errors import Malformed, NotYours, TooLarge, UnknownType
from events.ids import is_id
from events.message import Event, event_class, event_classes
from events.suggest import malformed, near

LIMIT = 1 << 20
"""Bytes that one event may have; larger things are artifacts."""
ANYONE = frozenset({"anyone"})
OPERATOR = ANYONE | {"operator"}
"""What one may say who bears the scope admin, or reads the home's own files."""


def parsed(body: bytes) -> Any:
    """JSON from outside, or one sentence about what is wrong with it."""
    if len(body) > LIMIT:
        raise TooLarge(
            f"the message has {len(body):,} bytes",
            where="body",
            right=f"at most {LIMIT:,} bytes; put large things into an artifact and refer to it",
        )
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        text = str(error).replace("\n", " ")
        raise Malformed(f"this is not JSON in UTF-8 ({text})", where="body") from None


def event_named(name: object) -> type[Event]:
    """The class of this wire name, or the name that was probably meant."""
    kind = event_class(name) if isinstance(name, str) else None
    if kind is None:
        hint = near(name[:100], event_classes()) if isinstance(name, str) else None
        right = f"did you mean {hint!r}?" if hint else "`ratchet events types` lists them"
        raise UnknownType(f"no event is named {repr(name)[:80]}", where="type", right=right)
    return kind


def admitted(
    name: object, data: object, event_id: object = None, may: frozenset[str] = ANYONE
) -> Draft:
    """A draft of the event, if one who may publish for `may` says it well-formed."""
    kind = event_named(name)
    if kind.publisher not in may:
        sayer = {
            "agent": "an agent",
            "worker": "a worker, under the lease of its request",
            "operator": "an operator, under the scope 'admin',",
        }
        raise NotYours(
            f"{kind.wire!r} is said by {sayer.get(kind.publisher, 'anyone')} only",
            where="type",
            right=f"what anyone may publish: {', '.join(open_types())}",
        )
    if not isinstance(data, dict):
        raise Malformed(
            f"the data of {kind.wire!r} is {_plain(data)}",
            where="data",
            right="a JSON object of its fields",
        )
    if event_id is not None and not (isinstance(event_id, str) and is_id(event_id)):
        raise Malformed(
            f"{repr(event_id)[:60]} is no event id", where="id", right="a uuid in lower case"
        )
    try:
        one = draft(kind.model_validate_json(json.dumps(data, allow_nan=False)), event_id)
        one.data.encode()
    except ValidationError as error:
        raise malformed(kind, error) from None
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the data cannot be written as JSON ({error})", where="data") from None
    if len(one.data.encode()) > LIMIT:
        raise TooLarge(
            f"{kind.wire!r} would have {len(one.data):,} characters",
            where="data",
            right=f"at most {LIMIT:,} bytes; put large things into an artifact and refer to it",
        )
    return one


def admitted_body(body: bytes, may: frozenset[str] = ANYONE) -> Draft:
    """The draft in `{"type", "data", "id"?}`."""
    message = parsed(body)
    if not isinstance(message, dict):
        raise Malformed(
            f"the message is {_plain(message)}",
            where="body",
            right='a JSON object {"type": ..., "data": {...}}, with an "id" where it is to be '
            "published once however often it is sent",
        )
    for name in message:
        if name not in ("type", "data", "id"):
            hint = near(name[:100], ("type", "data", "id"))
            right = f"did you mean {hint!r}?" if hint else "one of 'type', 'data', 'id'"
            raise Malformed(f"a message has no field {name[:60]!r}", where=name[:60], right=right)
    if "type" not in message:
        raise Malformed("the message has no 'type'", where="type", right="the name of an event")
    return admitted(message["type"], message.get("data"), message.get("id"), may)


def open_types() -> list[str]:
    """What anyone may publish."""
    return [wire for wire, kind in event_classes().items() if kind.publisher == "anyone"]


def _plain(value: object) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list"}
    return names.get(type(value), "missing" if value is None else "a JSON object")
