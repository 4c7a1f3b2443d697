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

LEFT_OUT = ("Requested", "DeadlineSet")
"""What asks for more, and by when: of no use to who wants to know how it was decided."""
DEEPEST = 12
"""Levels of indentation; what lies deeper stays there."""


@app.command("why")
def tell(event: str = typer.Argument(metavar="EVENT", help="Its id, or its position.")) -> None:
    """Tell the causes of an event back to its beginning, and what followed from it."""
    found = show.reading(lambda store: _asked(store, event))
    document = {
        "event": found.event.to_json(),
        "causes": [cause.to_json() for cause in found.causes],
        "effects": [effect.to_json() for effect in found.effects],
        "beside": [one.to_json() for one in found.beside],
    }
    show.answer(document, _tree(found))


async def _asked(store: EventStore, name: str) -> Why:
    return await why(store, await event_at(store, name))


def _tree(found: Why) -> str:
    """Causes above, effects below, each indented under what caused it; beside the causes what else
    was decided on the way, unless it only asks for more."""
    others: dict[str, list[Envelope]] = defaultdict(list)
    for one in found.beside:
        if not one.type.endswith(LEFT_OUT):
            others[str(one.cause_id)].append(one)
    lines = []
    for depth, cause in enumerate([*found.causes, found.event]):
        lines.append(_indented(depth, cause))
        lines += [_indented(depth + 1, one, "+ ") for one in others.get(cause.event_id, ())]
    asked = max(n for n, line in enumerate(lines) if not line.lstrip().startswith("+ "))
    lines[asked] += "   <- asked about"
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


def _indented(depth: int, event: Envelope, mark: str = "") -> str:
    return "  " * min(depth, DEEPEST) + mark + short(event)
