"""What commands ask of the projections, and what they answer about a name that is not there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from events.errors import NotFound
from events.projection import Projection, State, restored
from events.store import EventStore
from events.suggest import near
from infra.cli import show


async def present(projection: Projection, store: EventStore) -> State:
    """The state as the log has it now, from what was kept of it where that helps."""
    return await (await restored(projection, store)).catch_up(store)


def state(projection: Projection) -> State:
    """The present state in this command's home."""
    return show.reading(lambda store: present(projection, store))


def named(what: str, name: str, known: dict[str, Any]) -> Any:
    """The row of this name, or an error with the name that was probably meant."""
    if name not in known:
        raise missing(what, name, known)
    return known[name]


def missing(what: str, name: str, known: Collection[str]) -> NotFound:
    """There is no such thing; perhaps another was meant."""
    begun = sorted(one for one in known if name and one.startswith(name))
    hint = begun[0] if begun else near(name, known)
    right = f"did you mean {hint!r}?" if hint else _those(what, known)
    return NotFound(f"there is no {what} {name[:60]!r}", where="NAME", right=right)


def _those(what: str, known: Collection[str]) -> str:
    if not known:
        return f"there is no {what} at all yet"
    some = ", ".join(sorted(known)[:10])
    return f"there are: {some}" + (", ..." if len(known) > 10 else "")
