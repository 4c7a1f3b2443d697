"""The application behind the door: its routes, and the layers around them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from events.errors import RatchetError
from infra.api.asyncapi import describing
from infra.api.auth import Guard
from infra.api.door import Door
from infra.api.health import health
from infra.api.knowledge import knowing
from infra.api.listening import listening
from infra.api.metrics import Counts
from infra.api.problems import on_http_error, on_invalid_query, on_ratchet_error
from infra.api.reading import reading
from infra.api.registry import listing
from infra.api.rejected import retrying
from infra.api.threshold import Threshold
from infra.api.work import working
from infra.api.writing import writing
from infra.home import Home
from infra.house import House
from infra.rejected import Rejected

ROUTES = (health, writing, listening, working, reading, listing, retrying, knowing, describing)
"""In this order they are asked: `/events/tail` before `/events/{event}`."""


def api(house: House, home: Home, guard: Guard) -> FastAPI:
    """The door of `house`; what it keeps itself is in `app.state.door`."""
    rejected = house.rejected or Rejected(home.folder)
    door = Door(house, home, guard, rejected, Counts(house, rejected))
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Threshold, door=door)],
        exception_handlers={
            RatchetError: on_ratchet_error,
            HTTPException: on_http_error,
            RequestValidationError: on_invalid_query,
        },
    )
    routers = [routes(door) for routes in ROUTES]
    for router in routers:
        app.include_router(router)
    app.state.door, app.state.methods = door, partial(methods, routers)
    return app


def methods(routers: Sequence[APIRouter], path: str) -> list[str]:
    """What can be done to this path."""
    found: set[str] = set()
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.path_regex.match(path):
                found.update(route.methods or ())
    return sorted(found)
