"""What goes over NATS, served as an AsyncAPI document beside the events themselves."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter

from events.asyncapi import document
from infra.api.auth import needs
from infra.api.door import Door
from infra.api.problems import Json

_document = cache(document)
"""The catalogue does not change while a process lives."""


def describing(_door: Door) -> APIRouter:
    routes = APIRouter(dependencies=[needs("read")])

    @routes.get("/asyncapi.json")
    async def asyncapi() -> Json:
        found: dict[str, Any] = _document()
        return Json(found)

    return routes
