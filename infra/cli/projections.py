"""`ratchet projections`: the states that are kept from the log. All of them can be dropped."""

from __future__ import annotations

import asyncio
from typing import Any

import typer

from events.errors import OwnerBusy
from events.projection import Projection, drop
from events.store import EventStore
from infra.assemble import PROJECTIONS
from infra.cli import show
from infra.cli.states import named
from infra.home import Home, Lock

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def projections() -> None:
    """The states kept from the log; drop one, and it comes back."""


@app.command("list")
def list_projections() -> None:
    """List the projections, and up to where the state of each is kept."""
    rows = show.reading(_kept)
    columns = ("projection", "version", "position", "bytes", "behind")
    cells = [["" if row[name] is None else row[name] for name in columns] for row in rows]
    show.answer({"projections": rows}, show.table(columns, cells))


@app.command("drop")
def drop_one(name: str = typer.Argument(metavar="NAME", help="Which projection.")) -> None:
    """Forget what is kept of a projection: it is folded from the first event when next asked."""
    projection = named("projection", name, PROJECTIONS)
    dropped = _dropped(show.home(), projection)
    told = "was dropped" if dropped else "is not kept, so nothing was dropped"
    show.answer({"projection": name, "dropped": dropped}, f"projection {name} {told}")


async def _kept(store: EventStore) -> list[dict[str, Any]]:
    head, rows = (await store.head()).position, []
    for projection in PROJECTIONS.values():
        kept = await store.snapshot(f"projection/{projection.name}")
        usable = kept if kept is not None and kept.fold == projection.version else None
        rows.append(
            {
                "projection": projection.name,
                "version": projection.version,
                "position": usable.position if usable else None,
                "bytes": len(usable.state.encode()) if usable else None,
                "behind": head - usable.position if usable else head,
            }
        )
    return rows


def _dropped(home: Home, projection: Projection) -> bool:
    if not home.database.exists():
        return False
    with Lock(home) as lock:
        if not lock.take():
            owner = home.owner()
            if owner is not None:
                raise OwnerBusy(
                    f"process {owner['pid']} owns this home and keeps its states warm",
                    where=str(home.folder),
                    right="stop `ratchet up` first; when it starts again the state comes back",
                )
            lock.wait()
        return asyncio.run(_forgotten(home, projection))


async def _forgotten(home: Home, projection: Projection) -> bool:
    store = home.writer()
    try:
        known = await store.snapshot(f"projection/{projection.name}") is not None
        await drop(projection, store)
        return known
    finally:
        await store.close()
