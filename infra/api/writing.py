"""Publishing: one message in, one event in the log, or what is wrong with which field."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.requests import Request

from events.envelope import Draft, Envelope
from events.errors import Conflict, Refused
from events.ingress import ANYONE, OPERATOR, admitted_body
from events.store import Append
from events.tracing import correlation_of
from infra.api.auth import caller_of, needs
from infra.api.door import Door
from infra.api.incoming import body_of
from infra.api.problems import Json, TurnedAway
from infra.fitness import fit, is_looked_through
from infra.publishing import receipt


def writing(door: Door) -> APIRouter:
    routes = APIRouter()

    @routes.post("/events", dependencies=[needs("publish")])
    async def publish(request: Request) -> Json:
        """201 with the receipt, also where the id was there already: the answer is the same."""
        caller, body = caller_of(request), b""
        actor, may = caller.actor, OPERATOR if caller.may("admin") else ANYONE
        with door.writes.one():
            try:
                body = await body_of(request)
                trace = correlation_of(request.headers.get("traceparent"))
                one = admitted_body(body, may)
                if is_looked_through(one.type):
                    one = await asyncio.to_thread(fit, one)
                return Json(receipt(await said(door, one, actor, trace)), 201)
            except (Refused, Conflict, TurnedAway) as error:
                door.rejected.keep(actor, error.body(), body)
                raise

    return routes


async def said(door: Door, one: Draft, actor: str, correlation: str | None) -> Envelope:
    """The event as it stands in the log now."""
    answer = await door.submit(Append((one,), actor, correlation=correlation))
    assert isinstance(answer, tuple)
    envelope = answer[0]
    assert isinstance(envelope, Envelope)
    return envelope
