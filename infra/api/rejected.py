"""Trying again what was refused or given up: for an operator, because it acts with all rights."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, runtime_checkable

from fastapi import APIRouter
from starlette.requests import Request

from events.errors import Conflict, LogUnavailable
from events.store import Append
from infra.api.auth import caller_of, needs
from infra.api.door import Door
from infra.api.problems import Json
from infra.fitness import fit
from infra.publishing import receipt
from infra.rejected import GIVEN_UP, Entry, said_again


@runtime_checkable
class GivesAgain(Protocol):
    """The part of a house by which readers over NATS are given a message once more."""

    async def give_again(self, entry: Entry) -> dict[str, Any]:
        """Give it to its consumer."""


def retrying(door: Door) -> APIRouter:
    routes = APIRouter(dependencies=[needs("admin")])
    rejected = door.rejected

    @routes.post("/rejected/{entry}/retry")
    async def retry(request: Request, entry: str) -> Json:
        """A refused message is published; a given-up one goes to its consumer, and no other."""
        one = await asyncio.to_thread(rejected.one, entry)
        if one["kind"] != GIVEN_UP:
            said = await asyncio.to_thread(fit, said_again(one))
            answer = await door.submit(Append((said,), caller_of(request).actor))
            assert isinstance(answer, tuple)
            told = receipt(answer[0])
        else:
            _not_twice(one)
            told = await _giver(door).give_again(one)
        await asyncio.to_thread(rejected.retried, one, told)
        return Json({"id": one["id"], "kind": one["kind"], **told})

    return routes


def _giver(door: Door) -> GivesAgain:
    for part in door.house.parts:
        if isinstance(part, GivesAgain):
            return part
    raise LogUnavailable(
        "this owner has no NATS, where its readers would be given it",
        where="NATS",
        right="a nats-server: `ratchet doctor` tells why there is none",
    )


def _not_twice(entry: Entry) -> None:
    if "retried" in entry:
        raise Conflict(
            f"it was given to {entry['consumer']!r} again at {entry['retried']['time']}",
            where=entry["id"],
            right="nothing: should it be given up again, it is listed again",
        )
