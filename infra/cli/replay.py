"""`ratchet replay`: the states as they were, folded from the first event with the chain checked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from events.difference import difference
from events.envelope import format_time
from events.errors import Malformed
from events.projection import Projection, State, replayed_at
from events.store import EventStore
from infra.assemble import PROJECTIONS
from infra.cli import show
from infra.cli.states import named

app = typer.Typer(add_completion=False, rich_markup_mode=None)

PLACE = "POSITION|TIME"


@app.command()
def replay(
    to: str = typer.Option("", metavar=PLACE, help="Up to here; the end of the log unless told."),
    since: str = typer.Option("", "--from", metavar=PLACE, help="Also what changed since then."),
    names: Annotated[
        list[str] | None, typer.Option("--projection", help="Only this one; may be repeated.")
    ] = None,
) -> None:
    """Fold the history up to a position or a time, and show the states as they were.

    A time is ISO 8601, such as 2026-11-21T03:00:00Z; without a zone it is meant in UTC.
    """
    chosen = [named("projection", name, PROJECTIONS) for name in dict.fromkeys(names or ())]
    document = show.reading(
        lambda store: _replayed(store, chosen or list(PROJECTIONS.values()), to, since)
    )
    show.answer(document, _text(document))


async def _replayed(
    store: EventStore, projections: list[Projection], to: str, since: str
) -> dict[str, Any]:
    end = (await store.head()).position
    until = await _position(store, to, "--to") if to else end
    begin = await _position(store, since, "--from") if since else None
    places = [until] if begin is None else [begin, until]
    states = await replayed_at(projections, store, places, show.progress("replay"))
    document: dict[str, Any] = {"position": until, "projections": states[-1]}
    if begin is not None:
        document["from"] = begin
        document["diff"] = _differences(*states)
    return document


def _differences(before: dict[str, State], after: dict[str, State]) -> dict[str, Any]:
    return {name: difference(before[name], after[name]) for name in after}


async def _position(store: EventStore, text: str, option: str) -> int:
    """The position itself, or the last one that was recorded at or before the time."""
    if text.isascii() and text.isdecimal():
        return int(text[:20])
    try:
        moment = datetime.fromisoformat(text)
        in_utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed(
            f"{text[:60]!r} is neither a position nor a time",
            where=option,
            right="a whole number, or a time such as 2026-11-21T03:00:00Z",
        ) from None
    return await store.position_at(format_time(in_utc))


def _text(document: dict[str, Any]) -> str:
    if "diff" in document:
        return _changes(document)
    lines = [f"The states at position {document['position']:,}."]
    for name, state in document["projections"].items():
        lines += ["", f"{name} ({len(state)})", json.dumps(state, ensure_ascii=False, indent=2)]
    return "\n".join(lines)


def _changes(document: dict[str, Any]) -> str:
    lines = [f"From position {document['from']:,} to {document['position']:,}:"]
    for name, found in document["diff"].items():
        if any(found.values()):
            lines += ["", name]
        lines += [f"  + {path} = {_short(value)}" for path, value in found["added"].items()]
        lines += [f"  - {path} = {_short(value)}" for path, value in found["removed"].items()]
        lines += [
            f"  * {path}: {_short(value['from'])} -> {_short(value['to'])}"
            for path, value in found["changed"].items()
        ]
    return "\n".join(lines if len(lines) > 1 else [*lines, "nothing changed"])


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:99]}…"
