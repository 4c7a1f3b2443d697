"""The catalogue as JSON Schema, for programs in any language that publish or read events."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

import events.catalog  # noqa: F401  (it makes the wire names known)
from events.message import Event, event_classes

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def described(kind: type[Event]) -> dict[str, Any]:
    """One kind of event: who may say it, in which shape, and what it looks like."""
    return {
        "type": kind.wire,
        "schema_version": kind.schema_version,
        "publisher": kind.publisher,
        "doc": sentence(kind),
        "stream": stream_of(kind),
        "schema": kind.model_json_schema(),
        "example": kind.example,
    }


def sentence(kind: type[Event]) -> str:
    """Its documentation, on one line."""
    return " ".join((kind.__doc__ or "").split())


def stream_of(kind: type[Event]) -> str:
    """In which stream it lies, with the fields that name the stream."""
    return "".join(text if field is None else f"{text}{{{field}}}" for text, field in kind._stream)


def document() -> dict[str, Any]:
    """All of it at once: a schema that the message of any event fits, as it is published."""
    kinds = event_classes()
    references, shared = models_json_schema([(kind, "validation") for kind in kinds.values()])
    return {
        "$schema": DIALECT,
        "title": "The events of Ratchet",
        "description": "An event as it is published, and the same two fields of its envelope.",
        "oneOf": [_message(kind, references[kind, "validation"]) for kind in kinds.values()],
        "$defs": shared["$defs"],
    }


def _message(kind: type[Event], data: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": kind.wire,
        "description": sentence(kind),
        "type": "object",
        "properties": {"type": {"const": kind.wire}, "data": data},
        "required": ["type", "data"],
        "x-publisher": kind.publisher,
        "x-schema-version": kind.schema_version,
        "x-stream": stream_of(kind),
    }
