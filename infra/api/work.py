"""Work for those who carry out requests from afar: claim one, hold on to it, tell progress, answer.

The same leases as those of workers in the house: a request that is not renewed in time goes to
another, and the first answer under the current epoch is the outcome. An answer that was lost on the
way may be sent again.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter
from pydantic import Field, ValidationError
from starlette.requests import Request

from events.bus import Progress
from events.envelope import Draft, Envelope
from events.errors import Conflict, Malformed, NotFound, Refused
from events.ids import derived_id, is_id
from events.ingress import admitted, event_named, parsed
from events.message import Name, Value
from events.needs import request_lease
from events.store import Append, ClaimRequest, Held, Lease, RenewLease
from events.suggest import malformed
from infra.api.auth import caller_of, needs
from infra.api.door import Door
from infra.api.incoming import body_of
from infra.api.problems import Json, TurnedAway
from infra.publishing import receipt

Seconds = Annotated[float, Field(ge=1, le=600, strict=False)]
PROGRESS = 16_384
"""Bytes that one piece of progress may have."""
WORKER = frozenset({"worker"})


class Claim(Value):
    """Who wants to carry out what, and for how long at first."""

    kinds: tuple[Name, ...] = Field(min_length=1, max_length=100)
    holder: Name
    seconds: Seconds = 30.0


class Renewal(Value):
    """How much longer."""

    request_id: str
    epoch: int = Field(ge=1, lt=2**63)
    seconds: Seconds = 30.0


class Answered(Value):
    """What came of it."""

    request_id: str
    epoch: int = Field(ge=1, lt=2**63)
    type: str
    data: dict[str, Any]


class Told(Value):
    """How far it has come."""

    request_id: str
    says: dict[str, Any]


M = TypeVar("M", bound=Value)


def working(door: Door) -> APIRouter:
    routes = APIRouter(dependencies=[needs("worker")])

    async def taken(request: Request, kind: type[M]) -> M:
        with door.writes.one():
            body = await body_of(request)
        parsed(body)
        try:
            return kind.model_validate_json(body)
        except ValidationError as error:
            raise malformed(kind, error) from None

    @routes.post("/work/claim")
    async def claim(request: Request) -> Json:
        """The oldest request of these kinds that nobody works on, or null."""
        asked = await taken(request, Claim)
        for name in asked.kinds:
            if not event_named(name).opens:
                what = f"{name!r} is no request that waits for a worker"
                raise Malformed(what, where="kinds", right="for instance StageRequested")
        lease = await door.submit(ClaimRequest(asked.kinds, asked.holder, asked.seconds, False))
        if lease is None:
            return Json({"request": None, "epoch": None, "until": None})
        assert isinstance(lease, Lease)
        (granted,) = await door.house.store.read(lease.position - 1, lease.position, 1)
        return Json({"request": granted.to_json(), "epoch": lease.epoch, "until": lease.until})

    @routes.post("/work/renew")
    async def renew(request: Request) -> Json:
        asked = await taken(request, Renewal)
        held = Held(request_lease(asked.request_id), asked.epoch)
        lease = await door.submit(RenewLease(held, asked.seconds))
        assert isinstance(lease, Lease)
        return Json({"request_id": asked.request_id, "epoch": lease.epoch, "until": lease.until})

    @routes.post("/work/answer")
    async def answer(request: Request) -> Json:
        actor = f"worker:{caller_of(request).actor}"
        asked: Answered | None = None
        try:
            asked = await taken(request, Answered)
            cause = await _request(door, asked.request_id)
            held = Held(request_lease(cause.event_id), asked.epoch)
            answer = await door.submit(
                Append((_outcome(asked, cause),), actor, cause, answers=held)
            )
        except (Refused, Conflict, TurnedAway) as error:
            kept = asked.model_dump_json().encode() if asked else b""
            door.rejected.keep(actor, error.body(), kept)
            raise
        assert isinstance(answer, tuple)
        return Json(receipt(answer[0]), 201)

    @routes.post("/work/progress")
    async def progress(request: Request) -> Json:
        """To whoever listens now; kept by nobody."""
        asked = await taken(request, Told)
        if not is_id(asked.request_id):
            raise _no_request(asked.request_id)
        if len(asked.model_dump_json()) > PROGRESS:
            right = f"at most {PROGRESS:,} bytes"
            raise Malformed("this is too much for progress", where="says", right=right)
        door.house.bus.say(Progress(asked.request_id, asked.says))
        return Json({"heard": True})

    return routes


async def _request(door: Door, request_id: str) -> Envelope:
    found: Envelope | None = None
    if is_id(request_id):
        found = (await door.house.store.find([request_id])).get(request_id)
    if found is None or not found.event().opens:
        raise _no_request(request_id)
    return found


def _no_request(request_id: str) -> NotFound:
    return NotFound(
        f"there is no request {request_id[:60]!r} that a worker could answer",
        where="request_id",
        right="the event_id of what /work/claim granted",
    )


def _outcome(asked: Answered, cause: Envelope) -> Draft:
    """The answer as an event, if it is one to this request."""
    one = admitted(asked.type, asked.data, may=WORKER)
    if not one.outcome:
        raise Malformed(f"{asked.type!r} is no outcome", where="type", right="an outcome")
    request, answer = cause.event(), event_named(asked.type).model_validate_json(one.data)
    for field in type(request).model_fields.keys() & type(answer).model_fields.keys():
        right = getattr(request, field)
        if getattr(answer, field) != right:
            what = f"{field!r} is another one than that of the request"
            raise Malformed(what, where=f"data.{field}", right=repr(right)[:200])
    said = derived_id("outcome", cause.event_id, asked.epoch)
    return one._replace(event_id=said, known_id=True)
