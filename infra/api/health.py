"""Whether the process lives, whether the house is in order, and the figures of both."""

from __future__ import annotations

import os

from fastapi import APIRouter
from starlette.responses import Response

from infra.api.auth import needs
from infra.api.door import Door
from infra.api.problems import Json


def health(door: Door) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/healthz", methods=["GET", "HEAD"])
    async def alive() -> Json:
        return Json({"ok": True})

    @routes.api_route("/readyz", methods=["GET", "HEAD"], dependencies=[needs("read")])
    async def ready() -> Json:
        """503 while something does not work, with what and why."""
        await door.probe()
        troubles = door.house.troubles()
        if door.failure:
            troubles["log"] = door.failure
        if door.stopping:
            troubles["door"] = "it is closing"
        found = {
            "ready": not troubles,
            "home": str(door.home.folder),
            "pid": os.getpid(),
            "started_at": door.house.started_at.isoformat(),
            "position": (await door.house.store.head()).position,
            "troubles": troubles,
        }
        return Json(found, 503 if troubles else 200)

    @routes.get("/metrics", dependencies=[needs("read")])
    async def metrics() -> Response:
        return await door.counts.page()

    return routes
