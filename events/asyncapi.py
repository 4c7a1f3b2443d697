"""All that can be said and heard over NATS, as one AsyncAPI 3.0 document made from the catalogue.

Written from where a client stands: what it receives, and what it may send. What belongs to Ratchet
alone (the bell, what is tried again, JetStream) is not in it, because no client is let there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic.json_schema import models_json_schema

import events.catalog  # noqa: F401  (it makes the wire names known)
from events.ingress import LIMIT, OPERATOR
from events.message import Event, event_classes
from events.nats import subjects
from events.nats.users import INBOX
from events.personal import MARK, PREFIX
from events.schema import sentence, stream_of
from events.wire_shapes import NULL, QUESTIONS, REPLIES, SHAPES, Json, shape

VERSION = "1.0.0"
"""Of the subjects, headers and replies; each event has a schema version of its own."""
ABOUT = f"""What a client of Ratchet receives over NATS, and what it may send.

Subscribe to `{subjects.EVENTS}.>` for all that the log holds, to `{subjects.EVENTS}.TYPE.*` for one
type, to one partition for a share of it: all events of one stream of the log lie in one partition,
in order. An event of an older schema version is told as it was written; its `schema` says so.
Personal texts are told sealed: they begin with `{PREFIX}`.

A request to `{subjects.PUBLISH}.TYPE` is answered by a receipt once the event is durable, or by an
error; without a reply inbox nothing is promised. Send it again under the same `Nats-Msg-Id` when no
answer came: it is published once. A user's replies reach it under `{INBOX}_USER` only."""
SERVER: Json = {
    "host": "{host}:{port}",
    "protocol": "nats",
    "description": "The server of a home, or one of yours that the home was told of.",
    "variables": {
        "host": {"default": "127.0.0.1"},
        "port": {
            "default": "4222",
            "description": "As `ratchet up` says when it starts, and `up.json` of the home.",
        },
    },
    "security": [{"$ref": "#/components/securitySchemes/token"}],
}
SECURITY: Json = {
    "type": "userPassword",
    "description": "The name of a token and the token, as `ratchet tokens add` shows them. "
    "`x-scope` of a channel names the scope that opens it. On loopback, by default, a client "
    "without credentials may publish and read.",
}
PARTITION: Json = {
    "enum": [f"{number:02}" for number in range(subjects.PARTITIONS)],
    "description": "By the stream of the log in which the event lies.",
}


class Said(NamedTuple):
    """One kind of message, with the channel on which it is said."""

    at: str
    """The name of the channel and of the message."""
    address: str
    scope: str
    """What opens it."""
    message: Json
    reply: str = ""
    """The name of what is answered; what is heard has no answer."""


def document() -> Json:
    """The whole of it; the same for every home of this version."""
    kinds = event_classes()
    models: list[Any] = [*kinds.values(), *(one.body for one in QUESTIONS.values())]
    found, shared = models_json_schema(
        [(model, "validation") for model in models], ref_template=shape("{model}")["$ref"]
    )
    schemas = {**SHAPES, **_plain(shared["$defs"])}
    shapes = {model: found[model, "validation"] for model in models}
    for kind in kinds.values():
        if kind.personal:
            name = shapes[kind]["$ref"].rpartition("/")[2]
            schemas[_sealed(name)] = _with_tokens(schemas[name], kind.personal)
    said = list(_all(kinds, shapes))
    replies = {name: _message(why, shape(name)) for name, why in REPLIES.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Ratchet over NATS", "version": VERSION, "description": ABOUT},
        "defaultContentType": "application/json",
        "servers": {"nats": SERVER},
        "channels": {"replies": _replies(), **{one.at: _channel(one) for one in said}},
        "operations": {one.at: _operation(one) for one in said},
        "components": {
            "schemas": schemas,
            "messages": {**replies, **{one.at: one.message for one in said}},
            "parameters": {"partition": PARTITION},
            "securitySchemes": {"token": SECURITY},
        },
    }


def _all(kinds: dict[str, type[Event]], shapes: dict[Any, Json]) -> Iterator[Said]:
    for kind in kinds.values():
        yield _told(kind, shapes[kind])
    for kind in kinds.values():
        if kind.publisher in OPERATOR:
            yield _published(kind, shapes[kind])
    for name, (body, reply, why) in QUESTIONS.items():
        asked = _message(why, shapes[body], "sent-by-worker")
        yield Said(f"work.{name}", f"{subjects.WORK}.{name}", "worker", asked, reply)
    progress = _message("How far long work has come; kept by nobody.", shape("progress"))
    yield Said("progress", subjects.PROGRESS, "read", progress)


def _told(kind: type[Event], data: Json) -> Said:
    """An event, as the log tells it."""
    if kind.personal:
        data = {"$ref": _sealed(data["$ref"])}
    exact = {"type": {"const": kind.wire}, "schema": {"const": kind.schema_version}, "data": data}
    payload = {"allOf": [shape("envelope"), {"properties": exact}]}
    message = {
        **_message(sentence(kind), payload, "told"),
        "title": kind.wire,
        "x-publisher": kind.publisher,
        "x-stream": stream_of(kind),
    }
    address = f"{subjects.EVENTS}.{kind.wire}.{{partition}}"
    return Said(f"events.{kind.wire}", address, "read", message)


def _published(kind: type[Event], data: Json) -> Said:
    """An event, as somebody asks for it to be said."""
    anyone = kind.publisher == "anyone"
    headers = "sent" if anyone else "sent-by-operator"
    message = _message(f"{sentence(kind)} At most {LIMIT:,} bytes.", data, headers)
    message["title"] = f"{kind.wire}, to be published"
    if kind.example:
        message["examples"] = [{"payload": kind.example}]
    at, address = f"publish.{kind.wire}", f"{subjects.PUBLISH}.{kind.wire}"
    return Said(at, address, "publish" if anyone else "admin", message, "receipt")


def _message(summary: str, payload: Json, headers: str = "") -> Json:
    found: Json = {"summary": summary, "contentType": "application/json", "payload": payload}
    if headers:
        found["headers"] = shape(headers)
    return found


def _channel(said: Said) -> Json:
    messages = {said.at: {"$ref": f"#/components/messages/{said.at}"}}
    found: Json = {"address": said.address, "messages": messages, "x-scope": said.scope}
    if "{partition}" in said.address:
        found["parameters"] = {"partition": {"$ref": "#/components/parameters/partition"}}
    return found


def _operation(said: Said) -> Json:
    found: Json = {
        "action": "send" if said.reply else "receive",
        "summary": said.message["summary"],
        "channel": {"$ref": f"#/channels/{said.at}"},
        "messages": [{"$ref": f"#/channels/{said.at}/messages/{said.at}"}],
    }
    if said.reply:
        answers = [
            {"$ref": f"#/channels/replies/messages/{name}"} for name in (said.reply, "refusal")
        ]
        found["reply"] = {"channel": {"$ref": "#/channels/replies"}, "messages": answers}
    return found


def _replies() -> Json:
    """Without an address: each request names its own."""
    messages = {name: {"$ref": f"#/components/messages/{name}"} for name in REPLIES}
    why = "The inbox that a request names for its reply."
    return {"address": None, "description": why, "messages": messages}


def _sealed(name: str) -> str:
    """Of the shape in which an event with personal texts is told."""
    return f"{name}.sealed"


def _with_tokens(schema: Json, fields: tuple[str, ...]) -> Json:
    """The same, with tokens in the place of the personal texts."""
    changed = dict(schema["properties"])
    for name in fields:
        token: Json = {"type": "string", "pattern": f"^{PREFIX}", MARK: True}
        bare = NULL in changed[name].get("anyOf", ())
        changed[name] = {"anyOf": [token, NULL]} if bare else token
    return {**schema, "properties": changed}


def _plain(schema: Any) -> Any:
    """Without the one word that AsyncAPI understands otherwise.

    The alternatives that a `discriminator` tells apart differ by a constant all the same.
    """
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    mapped = isinstance(schema.get("discriminator"), dict) and "oneOf" in schema
    return {
        key: _plain(one) for key, one in schema.items() if not (mapped and key == "discriminator")
    }
