"""Work for those who carry out requests from afar: claim one, hold on to it, tell progress, answer.

The same leases as those of workers in the house: a request that is not renewed in time goes to
another, and the first answer under the current epoch is the outcome. An answer that was lost on the
way may be sent again. HTTP and NATS both lead here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from agents.verifier.suites import is_task
from events.bus import Bus, Progress
from events.desk import Answered, Claim, Granted, Renewal, Told, outcome_id
from events.envelope import Draft, Envelope
from events.errors import Conflict, Malformed, NotFound, Refused
from events.ids import is_id
from events.ingress import admitted, event_named, parsed
from events.message import Value
from events.needs import request_lease
from events.store import (
    Answer,
    Append,
    ClaimRequest,
    EventStore,
    Held,
    Lease,
    Operation,
    ReleaseLease,
    RenewLease,
)
from events.suggest import malformed
from infra.marking import Mark
from infra.publishing import receipt
from infra.rejected import Rejected

PROGRESS = 16_384
"""Bytes that one piece of progress may have."""
WORKER = frozenset({"worker"})

V = TypeVar("V", bound=Value)


class Needs(NamedTuple):
    """What of a worker a request asks for."""

    pipeline: str
    """Of a stage; of all else nothing."""
    tasks: frozenset[str]
    """The benchmarks of an examination."""


class WorkDesk:
    """The desk of one log, for workers beyond its process. `actor` is the caller, as known here."""

    def __init__(
        self,
        store: EventStore,
        bus: Bus,
        rejected: Rejected,
        submit: Callable[[Operation], Awaitable[Answer]] | None = None,
        artifacts: str = "",
    ) -> None:
        self._store, self._bus, self._rejected = store, bus, rejected
        self._submit = submit or store.submit
        self._mark = Mark(artifacts)
        self._open: dict[str, Needs] = {}
        """What open requests need, so far as somebody asked for those of some alone."""
        self.operations: dict[str, Callable[[bytes, str], Awaitable[dict[str, Any]]]] = {
            "claim": self._claim,
            "renew": self._renew,
            "answer": self._answer,
            "progress": self._progress,
        }

    async def serve(self, operation: str, body: bytes, actor: str) -> dict[str, Any]:
        """Carry out one operation; a document, or an error that says what is wrong."""
        serve = self.operations.get(operation)
        if serve is None:
            right = f"one of {', '.join(self.operations)}"
            raise NotFound(f"a desk does not {operation[:60]!r}", where="subject", right=right)
        return await serve(body, actor)

    async def _claim(self, body: bytes, _actor: str) -> dict[str, Any]:
        """The oldest request of these kinds that nobody works on, or null."""
        asked = _read(body, Claim)
        for name in asked.kinds:
            if not event_named(name).opens:
                what = f"{name!r} is no request that waits for a worker"
                raise Malformed(what, where="kinds", right="for instance StageRequested")
        mark = await asyncio.to_thread(self._mark.reference)
        picky = bool(asked.pipelines) or asked.tasks is not None
        while True:
            without = await self._beyond(asked) if picky else frozenset()
            claim = ClaimRequest(asked.kinds, asked.holder, asked.seconds, False, without)
            lease = await self._submit(claim)
            if lease is None:
                return {"request": None, "epoch": None, "until": None, "artifacts": mark}
            assert isinstance(lease, Lease)
            (granted,) = await self._store.read(lease.position - 1, lease.position, 1)
            if _fits(asked, _needs(granted)):
                return {
                    "request": granted.to_json(), "epoch": lease.epoch, "until": lease.until,
                    "artifacts": mark,
                }  # fmt: skip
            await self._submit(ReleaseLease(Held(lease.name, lease.epoch)))  # it came in between

    async def _beyond(self, asked: Claim) -> frozenset[str]:
        """The leases of open requests that this worker cannot carry out. They are looked at and
        not granted: a request that comes and goes would wait for the next look of others."""
        open_ = [lease for lease in await self._store.leases() if lease.kind in asked.kinds]
        ids = [lease.name.removeprefix(request_lease("")) for lease in open_]
        known = {one: self._open[one] for one in ids if one in self._open}
        for event_id, found in (await self._store.find(sorted(set(ids) - known.keys()))).items():
            known[event_id] = _needs(found)
        self._open = known
        return frozenset(
            request_lease(one) for one, needs in known.items() if not _fits(asked, needs)
        )

    async def _renew(self, body: bytes, _actor: str) -> dict[str, Any]:
        asked = _read(body, Renewal)
        held = Held(request_lease(asked.request_id), asked.epoch)
        lease = await self._submit(RenewLease(held, asked.seconds))
        assert isinstance(lease, Lease)
        return {"request_id": asked.request_id, "epoch": lease.epoch, "until": lease.until}

    async def _answer(self, body: bytes, actor: str) -> dict[str, Any]:
        kind = ""
        try:
            asked = _read(body, Answered)
            kind = asked.type
            cause = await self._request(asked.request_id)
            held = Held(request_lease(cause.event_id), asked.epoch)
            one = _outcome(asked, Granted(cause, held))
            answer = await self._submit(Append((one,), f"worker:{actor}", cause, answers=held))
        except (Refused, Conflict) as error:
            data = json.dumps(asked.data).encode() if kind else body
            self._rejected.keep(f"worker:{actor}", error.body(), data, kind=kind)
            raise
        assert isinstance(answer, tuple)
        return receipt(answer[0])

    async def _progress(self, body: bytes, _actor: str) -> dict[str, Any]:
        """To whoever listens now; kept by nobody."""
        asked = _read(body, Told)
        if not is_id(asked.request_id):
            raise _no_request(asked.request_id)
        if len(body) > PROGRESS:
            right = f"at most {PROGRESS:,} bytes"
            raise Malformed("this is too much for progress", where="says", right=right)
        self._bus.say(Progress(asked.request_id, asked.says))
        return {"heard": True}

    async def _request(self, request_id: str) -> Envelope:
        found: Envelope | None = None
        if is_id(request_id):
            found = (await self._store.find([request_id])).get(request_id)
        if found is None or not found.event().opens:
            raise _no_request(request_id)
        return found


def _read(body: bytes, kind: type[V]) -> V:
    parsed(body)
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise malformed(kind, error) from None


def _needs(request: Envelope) -> Needs:
    event = request.event()
    tasks = filter(is_task, getattr(event, "suites", ()))
    return Needs(str(getattr(event, "pipeline", "")), frozenset(tasks))


def _fits(asked: Claim, needs: Needs) -> bool:
    """Whether who asks so can carry out a request that needs this."""
    if asked.pipelines and needs.pipeline not in ("", *asked.pipelines):
        return False
    return asked.tasks is None or needs.tasks <= {*asked.tasks}


def _no_request(request_id: str) -> NotFound:
    return NotFound(
        f"there is no request {request_id[:60]!r} that a worker could answer",
        where="request_id",
        right="the event_id of what a claim granted",
    )


def _outcome(asked: Answered, granted: Granted) -> Draft:
    """The answer as an event, if it is one to this request."""
    one = admitted(asked.type, asked.data, may=WORKER)
    if not one.outcome:
        raise Malformed(f"{asked.type!r} is no outcome", where="type", right="an outcome")
    request = granted.request.event()
    answer = event_named(asked.type).model_validate_json(one.data)
    asks, says = type(request).model_fields, type(answer).model_fields
    for field in asks.keys() & says.keys():
        if asks[field].annotation != says[field].annotation:
            continue  # of one name, and not the same: suites are asked for, and measured
        right = getattr(request, field)
        if getattr(answer, field) != right:
            what = f"{field!r} is another one than that of the request"
            raise Malformed(what, where=f"data.{field}", right=repr(right)[:200])
    return one._replace(event_id=outcome_id(granted), known_id=True)
