"""What goes over NATS around the events, as JSON Schema: headers, envelope, replies, the work of
those on other machines.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from events.desk import Answered, Claim, Renewal, Told
from events.message import Value

Json = dict[str, Any]
NULL: Json = {"type": "null"}


class Question(NamedTuple):
    """What a worker may ask."""

    body: type[Value]
    reply: str
    """The name of its shape."""
    why: str


def shape(name: str) -> Json:
    """A reference to one of the shapes."""
    return {"$ref": f"#/components/schemas/{name}"}


def _text(description: str, **more: Any) -> Json:
    return {"type": "string", "description": description, **more}


def _whole(description: str) -> Json:
    return {"type": "integer", "minimum": 1, "description": description}


def _object(needed: Json, **more: Json) -> Json:
    """An object that has all of `needed` and may have more."""
    found: Json = {"type": "object", "properties": {**needed, **more}}
    return {**found, "required": list(needed)} if needed else found


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
CAUSE = {"Ratchet-Cause": _text("The id of the cause, where there is one.")}
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
REQUEST = {"request_id": _text("The id of the request.")}
LEASE = {
    "epoch": {"type": ["integer", "null"], "description": "Under it the answer is admitted."},
    "until": {
        "type": ["number", "null"],
        "description": "When the lease ends unless renewed, in seconds since 1970.",
    },
}
MARK = {
    "artifacts": {
        "type": ["string", "null"],
        "description": "What lies in the owner's place of artifacts, for who shares it to look at.",
    }
}
PROGRESS = {"about": _text("The id of the request."), "says": {"type": "object"}}

SHAPES: dict[str, Json] = {
    "envelope": _object(ENVELOPE),
    "receipt": _object(RECEIPT),
    "refusal": _object({"error": _object(ERROR)}),
    "told": _object(TOLD, **CAUSE),
    "sent": _object({}, **SENT, Authorization=BEARER),
    "sent-by-operator": _object({"Authorization": BEARER}, **SENT),
    "sent-by-worker": _object({"Authorization": BEARER}),
    "progress": _object(PROGRESS),
    "granted": _object({"request": {"anyOf": [shape("envelope"), NULL]}, **LEASE, **MARK}),
    "renewed": _object({**REQUEST, **LEASE}),
    "heard": _object({"heard": {"const": True}}),
}
"""Names of classes begin with a capital, so that none of these is taken twice."""

QUESTIONS = {
    "claim": Question(
        Claim, "granted", "Ask for the oldest request of these kinds; null is that there is none."
    ),
    "renew": Question(Renewal, "renewed", "Hold on to a request, or learn that it is lost."),
    "answer": Question(
        Answered, "receipt", "Say what came of a request; the first answer under its lease counts."
    ),
    "progress": Question(Told, "heard", "Say how far it has come, to whoever listens now."),
}
"""By operation."""
REPLIES = {
    "receipt": "The event is in the log.",
    "refusal": "Nothing was done, and why.",
    "granted": "A request to be carried out, or none.",
    "renewed": "The lease goes on.",
    "heard": "It was told.",
}
