"""Work for those who carry out requests from afar, over HTTP: what is done is in `infra.desk`."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request

from infra.api.auth import caller_of, needs
from infra.api.door import Door
from infra.api.incoming import body_of
from infra.api.problems import Json
from infra.desk import WorkDesk


def working(door: Door) -> APIRouter:
    routes = APIRouter(dependencies=[needs("worker")])
    house, place = door.house, door.home.artifacts
    desk = WorkDesk(house.store, house.bus, door.rejected, door.submit, place)

    async def served(operation: str, request: Request, status: int = 200) -> Json:
        with door.writes.one():
            body = await body_of(request)
        return Json(await desk.serve(operation, body, caller_of(request).actor), status)

    @routes.post("/work/claim")
    async def claim(request: Request) -> Json:
        """The oldest request of these kinds that nobody works on, or null."""
        return await served("claim", request)

    @routes.post("/work/renew")
    async def renew(request: Request) -> Json:
        return await served("renew", request)

    @routes.post("/work/answer")
    async def answer(request: Request) -> Json:
        return await served("answer", request, 201)

    @routes.post("/work/progress")
    async def progress(request: Request) -> Json:
        """To whoever listens now; kept by nobody."""
        return await served("progress", request)

    return routes
