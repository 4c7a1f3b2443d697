"""What is known and what is remembered, for whoever may read; what is about people, for whoever may
see that."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request

from events.errors import NotFound
from infra.api.auth import insist, needs
from infra.api.door import Door
from infra.api.problems import Json
from infra.asking import Asked
from infra.knowledge import Keeper
from infra.recalling import Asked as Recall
from infra.recalling import recalled, revealed


def knowing(door: Door) -> APIRouter:
    routes = APIRouter(dependencies=[needs("read")])

    @routes.get("/knowledge")
    async def stats() -> Json:
        """What there is; while the index is being made, how far it has come."""
        return Json(await _keeper(door).stats())

    @routes.get("/knowledge/search")
    async def search(request: Request, asked: Annotated[Asked, Query()]) -> Json:
        """The items that answer, the best first, each with the event that says so."""
        if asked.personal:
            insist(request, "admin")
        answer = await _keeper(door).search(asked.question())
        return Json(answer.to_json())

    @routes.post("/knowledge/rebuild", dependencies=[needs("admin")])
    async def rebuild() -> Json:
        """The index is made anew from the log; the present one answers meanwhile."""
        keeper = _keeper(door)
        before: Any = (await keeper.stats())["generation"]
        keeper.make_anew()
        return Json({"former": before}, 202)

    @routes.get("/memories/recall")
    async def recall(request: Request, asked: Annotated[Recall, Query()]) -> Json:
        """What a model of a role may remember that answers, within its window."""
        if asked.reveal:
            insist(request, "admin")
        house = door.house
        profiles = (await house.fold("roles")).state
        rows = list((await house.fold("memories")).state.values())
        if asked.reveal:
            rows = await revealed(rows, house.store)
        found = None if house.knowledge is None else house.knowledge.recollection
        return Json(await recalled(asked, rows, profiles, found))

    return routes


def _keeper(door: Door) -> Keeper:
    keeper = door.house.knowledge
    if keeper is None:
        raise NotFound(
            "there is no knowledge base here: no engine is installed",
            where="knowledge",
            right="pip install 'ratchet-fleet[knowledge]', or set knowledge.url to a Qdrant server",
        )
    return keeper
