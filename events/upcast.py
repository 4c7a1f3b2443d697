"""Old shapes of events, lifted to today's when they are read.

An upcaster is a pure function from the data of one schema version to the data of the next. The
log keeps what was said; classes know today's shape only.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from events.errors import UnknownHistory
from events.message import Event, event_class

Data = dict[str, Any]
Upcaster = Callable[[Data], Data]

_upcasters: dict[tuple[str, int], Upcaster] = {}


def upcasts(wire: str, from_version: int) -> Callable[[Upcaster], Upcaster]:
    """Register the function that lifts `wire` from `from_version` to the version after it."""

    def register(function: Upcaster) -> Upcaster:
        _upcasters[wire, from_version] = function
        return function

    return register


def lift(wire: str, version: int, data: str) -> Event:
    """The event as today's class, whichever version wrote it."""
    kind = event_class(wire)
    if kind is None:
        raise UnknownHistory(
            f"the log holds an event {wire!r} that this version does not know",
            where=wire,
            right="run the version that wrote it, or a later one",
        )
    try:
        if version == kind.schema_version:
            event: Event = kind.__pydantic_validator__.validate_json(data)  # a call less for each
            return event
        return kind.model_validate_json(json.dumps(_lifted(kind, version, json.loads(data))))
    except ValidationError as error:
        raise UnknownHistory(
            f"the data of a {wire!r} (schema {version}) does not fit its class",
            where=".".join(map(str, error.errors()[0]["loc"])),
            right="an upcaster from that schema to today's is missing or wrong",
        ) from error


def _lifted(kind: type[Event], version: int, data: Data) -> Data:
    while version < kind.schema_version:
        upcaster = _upcasters.get((kind.wire, version))
        if upcaster is None:
            raise UnknownHistory(
                f"no upcaster lifts {kind.wire!r} from schema {version} to {version + 1}",
                where=kind.wire,
                right=f"register one with @upcasts({kind.wire!r}, {version})",
            )
        data, version = upcaster(data), version + 1
    if version > kind.schema_version:
        raise UnknownHistory(
            f"{kind.wire!r} was written with schema {version}; this version knows "
            f"{kind.schema_version}",
            where=kind.wire,
            right="run the version that wrote it, or a later one",
        )
    return data
