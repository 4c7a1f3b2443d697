"""Applying files to history: all are read and checked first; what has not changed is not said."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from events.envelope import Draft
from events.errors import Malformed
from events.ids import derived_id
from events.projection import Projection
from events.store import EventStore
from infra import publishing
from infra.cli import show
from infra.cli.files import files
from infra.cli.states import present


class Written(NamedTuple):
    """What one file says."""

    name: str
    """Of whom."""
    value: dict[str, Any]
    """As the projection would show it."""
    draft: Draft


def apply(
    paths: Sequence[str],
    what: str,
    projection: Projection,
    field: str,
    read: Callable[[Path], Written],
) -> None:
    """Say what the files say, in so far as `field` of the projection does not say it already."""
    found: dict[str, tuple[Path, Written]] = {}
    for file in files(paths):
        one = read(file)
        if one.name in found:
            raise Malformed(
                f"{what} {one.name!r} is written twice",
                where=f"{found[one.name][0]} and {file}",
                right="one file for each",
            )
        found[one.name] = (file, one)
    known = show.reading(lambda store: _known(store, projection))
    done = []
    for name, (file, one) in found.items():
        row, position = known.get(name, ({}, None))
        changed = json.dumps(row.get(field)) != json.dumps(one.value)
        if changed:
            before = row.get("event_id", "")
            event_id = derived_id("applied", one.draft.type, name, before, one.draft.data)
            said = publishing.publish(show.home(), one.draft._replace(event_id=event_id))
            position = said["position"]
        done.append({what: name, "changed": changed, "position": position, "file": str(file)})
    document: dict[str, Any] = {**(done[0] if len(done) == 1 else {}), "applied": done}
    show.answer(document, "\n".join(_line(what, row) for row in done))


async def _known(
    store: EventStore, projection: Projection
) -> dict[str, tuple[dict[str, Any], int | None]]:
    """The rows as they stand, each with the position of the event that says so."""
    state = await present(projection, store)
    found = await store.find([row["event_id"] for row in state.values()])
    positions = {event_id: envelope.position for event_id, envelope in found.items()}
    return {name: (row, positions.get(row["event_id"])) for name, row in state.items()}


def _line(what: str, row: dict[str, Any]) -> str:
    said = f"position {row['position']}" if row["changed"] else "unchanged"
    return f"{what} {row[what]}: {said} ({row['file']})"
