"""`ratchet why`: what led to an event, and what followed from it."""

from __future__ import annotations

from collections import defaultdict

import typer

from events.envelope import Envelope
from events.store import EventStore
from events.why import MOST, Why, event_at, why
from infra.cli import show
from infra.cli.telling import short

app = typer.Typer(add_completion=False, rich_markup_mode=None)

DEEPEST = 30
"""Levels of indentation; what lies deeper stays there."""


@app.command("why")
def tell(event: str = typer.Argument(metavar="EVENT", help="Its id, or its position.")) -> None:
    """Tell the causes of an event back to its beginning, and what followed from it."""
    found = show.reading(lambda store: _asked(store, event))
    document = {
        "event": found.event.to_json(),
        "causes": [cause.to_json() for cause in found.causes],
        "effects": [effect.to_json() for effect in found.effects],
    }
    show.answer(document, _tree(found))


async def _asked(store: EventStore, name: str) -> Why:
    return await why(store, await event_at(store, name))


def _tree(found: Why) -> str:
    """Causes above, effects below, each indented under what caused it."""
    lines = [_indented(depth, cause) for depth, cause in enumerate(found.causes)]
    lines.append(_indented(len(found.causes), found.event) + "   <- asked about")
    below: dict[str, list[Envelope]] = defaultdict(list)
    for effect in found.effects:
        below[str(effect.cause_id)].append(effect)
    open_ones = [(len(found.causes), found.event)]
    while open_ones:
        depth, event = open_ones.pop()
        if event is not found.event:
            lines.append(_indented(depth, event))
        open_ones += [(depth + 1, effect) for effect in reversed(below.pop(event.event_id, []))]
    if len(found.effects) == MOST:
        lines.append(f"(only the first {MOST:,} effects are told)")
    return "\n".join(lines)


def _indented(depth: int, event: Envelope) -> str:
    return "  " * min(depth, DEEPEST) + short(event)
