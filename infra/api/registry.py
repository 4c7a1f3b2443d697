"""Runs and models: lists in pages, one of them whole, and where a model came from.

They read the warm projections and copy nothing but what they answer, so that a long history costs
a page no more than a short one.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from events.errors import NotFound
from events.message import Name
from events.suggest import near
from infra.api.auth import needs
from infra.api.door import Door
from infra.api.problems import Json
from pipelines.lineage import chosen, lineage, meant
from pipelines.registry import brief, page, run_brief


class Part(BaseModel):
    """Which part of a list, the oldest first; the newest is the end."""

    model_config = ConfigDict(extra="forbid")

    role: Name | None = None
    after: Annotated[int, Field(ge=0, lt=2**53)] = 0
    """How many to pass over, as `next` of an earlier page says."""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    newest: bool = False
    """The last page in the place of the first."""


def listing(door: Door) -> APIRouter:
    routes = APIRouter(dependencies=[needs("read")])
    house = door.house

    @routes.get("/runs")
    async def runs(asked: Annotated[Part, Query()]) -> Json:
        every = [
            row
            for row in (await house.fold("runs")).state.values()
            if asked.role is None or row["role"] == asked.role
        ]
        return Json(_page("runs", every, asked, run_brief))

    @routes.get("/runs/{run}")
    async def run_named(run: str) -> Json:
        known = (await house.fold("runs")).state
        if run not in known:
            hint = near(run[:100], known)
            right = f"did you mean {hint!r}?" if hint else "GET /runs lists them"
            raise NotFound(f"there is no run {run[:60]!r}", where="path", right=right)
        return Json(known[run])

    @routes.get("/models")
    async def models(asked: Annotated[Part, Query()]) -> Json:
        known = (await house.fold("models")).state
        return Json(_page("models", chosen(known, asked.role or ""), asked, brief))

    @routes.get("/models/{model:path}")
    async def model_named(model: str) -> Json:
        return Json(meant((await house.fold("models")).state, model))

    @routes.get("/lineage/{model:path}")
    async def ancestors(model: str) -> Json:
        known = (await house.fold("models")).state
        return Json(lineage(known, meant(known, model)))

    return routes


def _page(name: str, every: list[dict[str, Any]], asked: Part, short: Any) -> dict[str, Any]:
    after = max(0, len(every) - asked.limit) if asked.newest else asked.after
    some, following = page(every, after, asked.limit)
    return {name: [short(one) for one in some], "total": len(every), "next": following}
