"""All that can be said and heard over NATS, as one AsyncAPI 3.0 document made from the catalogue.

Written from where a client stands: what it receives, and what it may send. What belongs to Ratchet
alone (the bell, what is tried again, JetStream) is not in it, because no client is let there.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

import events.catalog  # noqa: F401  (it makes the wire names known)
from events.desk import Answered, Claim, Renewal, Told
from events.ingress import LIMIT, OPERATOR
from events.message import Event, Name, event_classes
from events.nats import subjects
from events.nats.users import INBOX
from events.personal import MARK, PREFIX
from events.schema import sentence, stream_of

Json = dict[str, Any]

VERSION = "1.0.0"
"""Of the subjects, headers and replies; each event has a schema version of its own."""
TEMPLATE = "#/components/schemas/{model}"
ABOUT = f"""What a client of Ratchet receives over NATS, and what it may send.

Subscribe to `{subjects.EVENTS}.>` for all that the log holds, to `{subjects.EVENTS}.TYPE.*` for one
type, to one partition for a share of it: all events of one stream of the log lie in one partition,
in order. An event of an older schema version is told as it was written; its `schema` says so.
Personal texts are told sealed: they begin with `{PREFIX}`.

A request to `{subjects.PUBLISH}.TYPE` is answered by a receipt once the event is durable, or by an
error; without a reply inbox nothing is promised. Send it again under the same `Nats-Msg-Id` when no
answer came: it is published once. A user's replies reach it under `{INBOX}_USER` only."""


def _text(description: str, **more: Any) -> Json:
    return {"type": "string", "description": description, **more}


def _whole(description: str, least: int = 1) -> Json:
    return {"type": "integer", "minimum": least, "description": description}


def _object(needed: Json, **more: Json) -> Json:
    """An object that has all of `needed` and may have more."""
    found: Json = {"type": "object", "properties": {**needed, **more}}
    return {**found, "required": list(needed)} if needed else found


def _ref(*path: str) -> Json:
    return {"$ref": "#/" + "/".join(path)}


UUID = {"format": "uuid"}
TRACE = {"pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"}
NUMBER = {"pattern": "^[0-9]+$"}
BEARER = _text("A token of this home.", pattern="^Bearer ")

RECEIPT = {
    "position": _whole("Where it lies in the log."),
    "event_id": _text("Its id: the one that was sent, else a new one."),
    "type": _text("Its type."),
    "stream": _text("In which stream of the log it lies."),
    "version": _whole("Its number in that stream."),
}
ENVELOPE = {
    **RECEIPT,
    "event_id": _text("Its id."),
    "schema": _whole("The schema version of its data."),
    "recorded_at": _text("When it was recorded, in UTC.", format="date-time"),
    "actor": _text("Who said it, as the log knows them."),
    "correlation_id": _text("The same for all that came of one beginning."),
    "cause_id": {"type": ["string", "null"], "description": "The event that caused it."},
    "data": {"type": "object", "description": "What was said."},
    "hash": _text("Its place in the chain.", pattern="^[0-9a-f]{64}$"),
}
TOLD = {
    "Nats-Msg-Id": _text("The event's id."),
    "Nats-Expected-Last-Sequence": _text("For the server alone.", **NUMBER),
    "Ratchet-Position": _text("The position in the log.", **NUMBER),
    "Ratchet-Stream": _text("The stream of the log; percents where it is no visible ASCII."),
    "Ratchet-Version": _text("The number in that stream.", **NUMBER),
    "Ratchet-Schema": _text("The schema version of the data.", **NUMBER),
    "Ratchet-Correlation": _text("The correlation id."),
    "traceparent": _text("All of one correlation is one trace (W3C).", **TRACE),
}
SENT = {
    "Nats-Msg-Id": _text("The event's id; it is published once however often it is sent.", **UUID),
    "traceparent": _text("Its trace becomes the correlation of the event (W3C).", **TRACE),
}
ERROR = {
    "what": _text("What is wrong."),
    "where": _text("In which field, or where else."),
    "right": _text("What would be right."),
    "kind": _text("The kind of error, for programs."),
}
LEASE = {
    "epoch": {"type": ["integer", "null"], "description": "Under it the answer is admitted."},
    "until": {"type": ["string", "null"], "description": "When the lease ends unless renewed."},
}
NULL = {"type": "null"}
SCHEMAS: Json = {
    "envelope": _object(ENVELOPE),
    "receipt": _object(RECEIPT),
    "refusal": _object({"error": _object(ERROR)}),
    "told": _object(TOLD, **{"Ratchet-Cause": _text("The id of the cause, where there is one.")}),
    "sent": _object({}, **SENT, Authorization=BEARER),
    "sent-by-operator": _object({"Authorization": BEARER}, **SENT),
    "sent-by-worker": _object({"Authorization": BEARER}),
    "progress": _object(
        {"about": _text("The id of the request."), "says": {"type": "object"}},
    ),
    "granted": _object({"request": {"anyOf": [_ref("components/schemas/envelope"), NULL]}, **LEASE}),
    "renewed": _object({"request_id": _text("The id of the request."), **LEASE}),
    "heard": _object({"heard": {"const": True}}),
}
"""What is no event. Names of classes begin with a capital, so that none is taken twice."""
WORK: dict[str, tuple[type, str, str]] = {
    "claim": (Claim, "granted", "Ask for the oldest request of these kinds; null: there is none."),
    "renew": (Renewal, "renewed", "Hold on to a request, or learn that it is lost."),
    "answer": (Answered, "receipt", "Say what came of a request; the first answer counts."),
    "progress": (Told, "heard", "Say how far it has come, to whoever listens now."),
}
"""What a worker asks: its body, its reply, and why."""


def document() -> Json:
    """The whole of it; the same for every home of this version."""
    kinds = event_classes()
    models: list[Any] = [*kinds.values(), *(body for body, _, _ in WORK.values())]
    found, shared = models_json_schema(
        [(model, "validation") for model in models], ref_template=TEMPLATE
    )
    shapes = {model: found[model, "validation"] for model in models}
    schemas: Json = {**SCHEMAS, **_plain(shared.get("$defs", {}))}
    messages: Json = {
        "receipt": _message("A receipt: the event is in the log.", "receipt"),
        "refusal": _message("Nothing was done, and why.", "refusal"),
    }
    channels: Json = {"replies": _replies()}
    operations: Json = {}
    for wire, kind in kinds.items():
        _hear(wire, kind, shapes[kind], schemas, messages, channels, operations)
        if kind.publisher in OPERATOR:
            _publish(wire, kind, shapes[kind], messages, channels, operations)
    for name, (body, reply, why) in WORK.items():
        messages[f"work.{name}"] = _message(why, shapes[body], "sent-by-worker")
        messages[reply] = messages.get(reply) or _message("The reply.", reply)
        _asks(f"work.{name}", f"{subjects.WORK}.{name}", why, "worker", reply, channels, operations)
    messages["progress"] = _message("How far long work has come; kept by nobody.", "progress")
    channels["progress"] = _channel(subjects.PROGRESS, "progress", "read")
    operations["hear.progress"] = _operation("receive", "progress", "progress")
    channels["replies"]["messages"] |= {
        reply: _ref("components/messages", reply) for _, reply, _ in WORK.values()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Ratchet over NATS", "version": VERSION, "description": ABOUT},
        "defaultContentType": "application/json",
        "servers": {"nats": _server()},
        "channels": channels,
        "operations": operations,
        "components": {
            "schemas": schemas,
            "messages": messages,
            "parameters": {"partition": _partition()},
            "securitySchemes": {"token": _security()},
        },
    }


def _hear(
    wire: str, kind: type[Event], shape: Json, schemas: Json, messages: Json, channels: Json,
    operations: Json,
) -> None:  # fmt: skip
    """An event, as it is told."""
    if kind.personal:
        name = shape["$ref"].rpartition("/")[2]
        schemas[f"{name}.sealed"] = _sealed(schemas[name], kind.personal)
        shape = _ref("components/schemas", f"{name}.sealed")
    exact = {"type": {"const": wire}, "schema": {"const": kind.schema_version}, "data": shape}
    payload = {"allOf": [_ref("components/schemas/envelope"), {"properties": exact}]}
    more = {"title": wire, "x-publisher": kind.publisher, "x-stream": stream_of(kind)}
    messages[wire] = {**_message(sentence(kind), payload, "told"), **more}
    at = f"events.{wire}"
    channels[at] = _channel(f"{subjects.EVENTS}.{wire}.{{partition}}", wire, "read")
    channels[at]["parameters"] = {"partition": _ref("components/parameters/partition")}
    operations[f"hear.{wire}"] = _operation("receive", at, wire)


def _publish(
    wire: str, kind: type[Event], shape: Json, messages: Json, channels: Json, operations: Json
) -> None:
    """An event, as somebody asks for it to be said."""
    anyone = kind.publisher == "anyone"
    at, headers = f"publish.{wire}", "sent" if anyone else "sent-by-operator"
    summary = f"{sentence(kind)} At most {LIMIT:,} bytes."
    messages[at] = {**_message(summary, shape, headers), "title": f"{wire}, to be published"}
    if kind.example:
        messages[at]["examples"] = [{"payload": kind.example}]
    scope = "publish" if anyone else "admin"
    address = f"{subjects.PUBLISH}.{wire}"
    _asks(at, address, sentence(kind), scope, "receipt", channels, operations)


def _asks(
    at: str, address: str, why: str, scope: str, reply: str, channels: Json, operations: Json
) -> None:
    """A request that is sent there, and what may come back."""
    channels[at] = _channel(address, at, scope)
    replies = [_ref("channels/replies/messages", one) for one in (reply, "refusal")]
    operations[at] = {
        **_operation("send", at, at),
        "summary": why,
        "reply": {"channel": _ref("channels/replies"), "messages": replies},
    }


def _message(summary: str, payload: Json | str, headers: str = "") -> Json:
    """A message; a name is that of a schema."""
    shape = _ref("components/schemas", payload) if isinstance(payload, str) else payload
    found: Json = {"summary": summary, "contentType": "application/json", "payload": shape}
    if headers:
        found["headers"] = _ref("components/schemas", headers)
    return found


def _channel(address: str, message: str, scope: str) -> Json:
    messages = {message: _ref("components/messages", message)}
    return {"address": address, "messages": messages, "x-scope": scope}


def _operation(action: str, channel: str, message: str) -> Json:
    messages = [_ref("channels", channel, "messages", message)]
    return {"action": action, "channel": _ref("channels", channel), "messages": messages}


def _replies() -> Json:
    """No address: it is that of the request's reply."""
    messages = {one: _ref("components/messages", one) for one in ("receipt", "refusal")}
    why = "The inbox that a request names for its reply."
    return {"address": None, "description": why, "messages": messages}


def _server() -> Json:
    port = "As `ratchet up` says when it starts, and `up.json` of the home."
    return {
        "host": "{host}:{port}",
        "protocol": "nats",
        "description": "The server of a home, or one of yours that the home was told of.",
        "variables": {
            "host": {"default": "127.0.0.1"},
            "port": {"default": "4222", "description": port},
        },
        "security": [_ref("components/securitySchemes/token")],
    }


def _security() -> Json:
    why = (
        "The name of a token and the token, as `ratchet tokens add` shows them. `x-scope` of a "
        "channel names the scope that opens it. On loopback, by default, a client without "
        "credentials may publish and read."
    )
    return {"type": "userPassword", "description": why}


def _partition() -> Json:
    numbers = sorted({f"{number:02}" for number in range(subjects.PARTITIONS)})
    return {"enum": numbers, "description": "By the stream of the log in which the event lies."}


def _sealed(schema: Json, fields: tuple[str, ...]) -> Json:
    """The shape of an event whose personal texts are told as tokens."""
    changed = {}
    for name in fields:
        token: Json = {"type": "string", "pattern": f"^{PREFIX}", MARK: True}
        bare = any(arm == NULL for arm in schema["properties"][name].get("anyOf", ()))
        changed[name] = {"anyOf": [token, NULL]} if bare else token
    return {**schema, "properties": {**schema["properties"], **changed}}


def _plain(schema: Any) -> Any:
    """Without what AsyncAPI understands otherwise; the alternatives tell themselves apart."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _plain(one) for key, one in schema.items() if not _strange(key, one)}


def _strange(key: str, value: Any) -> bool:
    return key == "discriminator" and isinstance(value, dict) and "propertyName" in value
