"""Reading: the history in pages, one event, why it happened, the catalogue, the projections."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from events.envelope import Envelope
from events.errors import NotFound
from events.message import event_class, event_classes
from events.schema import described, sentence
from events.suggest import near
from events.why import event_at, why
from infra.api.auth import insist, needs
from infra.api.door import Door
from infra.api.problems import Json

BYTES = 8 << 20
"""A page ends where its events have more; `next` goes on from there."""
STEP = 50


class Page(BaseModel):
    """Which part of the history."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, lt=2**63)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    type: Annotated[list[str], Field(max_length=100)] = []
    reveal: bool = False
    """Personal fields in plain text, for a token with the scope admin."""


class Single(BaseModel):
    """How one event is to be shown."""

    model_config = ConfigDict(extra="forbid")

    reveal: bool = False


def reading(door: Door) -> APIRouter:
    routes = APIRouter(dependencies=[needs("read")])
    house = door.house

    @routes.get("/events")
    async def page(request: Request, asked: Annotated[Page, Query()]) -> Json:
        if asked.reveal:
            insist(request, "admin")
        for name in asked.type:
            if event_class(name) is None and not await house.store.read(0, None, 1, [name]):
                raise _unknown(name)
        found, last = await _page(door, asked, asked.type or None)
        if asked.reveal:
            found = await house.store.reveal(found)
        return Json({"events": [one.to_json() for one in found], "next": last})

    @routes.get("/events/types")
    async def types() -> Json:
        kinds = event_classes().values()
        rows = [
            {"type": kind.wire, "publisher": kind.publisher, "doc": sentence(kind)}
            for kind in kinds
        ]
        return Json({"types": rows})

    @routes.get("/events/types/{name}")
    async def type_named(name: str) -> Json:
        kind = event_class(name)
        if kind is None:
            raise _unknown(name)
        return Json(described(kind))

    @routes.get("/events/{event}")
    async def one(request: Request, event: str, asked: Annotated[Single, Query()]) -> Json:
        found = await event_at(house.store, event)
        if asked.reveal:
            insist(request, "admin")
            (found,) = await house.store.reveal([found])
        return Json(found.to_json())

    @routes.get("/why/{event}")
    async def because(event: str) -> Json:
        told = await why(house.store, await event_at(house.store, event))
        around = {
            name: [one.to_json() for one in getattr(told, name)]
            for name in ("causes", "effects", "beside")
        }
        return Json({"event": told.event.to_json(), **around})

    @routes.get("/projections")
    async def projections() -> Json:
        rows = [
            {"name": one.name, "version": one.version, "hears": sorted(one.hears)}
            for one in house.projections.values()
        ]
        return Json({"projections": rows})

    @routes.get("/projections/{name}")
    async def projection(name: str) -> Json:
        if name not in house.projections:
            hint = near(name, house.projections)
            right = f"did you mean {hint!r}?" if hint else f"one of {', '.join(house.projections)}"
            raise NotFound(f"there is no projection {name[:60]!r}", where="path", right=right)
        fold = await house.fold(name)
        return Json({"projection": name, "position": fold.position, "state": fold.state})

    return routes


async def _page(
    door: Door, asked: Page, types: list[str] | None
) -> tuple[list[Envelope], int | None]:
    """The events, and the position to go on from where there are more."""
    found: list[Envelope] = []
    after, size = asked.after, 0
    while len(found) < asked.limit and size < BYTES:
        some = await door.house.store.read(
            after, limit=min(STEP, asked.limit - len(found)), types=types
        )
        if not some:
            return found, None
        found += some
        after, size = some[-1].position, size + sum(len(one.data) for one in some)
    more = await door.house.store.read(after, limit=1, types=types)
    return found, after if more else None


def _unknown(name: str) -> NotFound:
    hint = near(name[:100], event_classes())
    right = f"did you mean {hint!r}?" if hint else "GET /events/types lists them"
    return NotFound(f"no event is named {name[:60]!r}", where="type", right=right)
