"""What comes in over NATS: events to be said, and the work of those on other machines.

The same validation, the same answers and the same desk as over HTTP. NATS does not tell who a
message is from, so whatever takes more than to be let in takes a token in its header.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from events.errors import Conflict, Malformed, NotYours, Refused
from events.ingress import ANYONE, LIMIT, OPERATOR, admitted, parsed
from events.nats import subjects
from events.nats.door import Said, Serve
from events.nats.users import is_inbox
from events.store import Append, EventStore
from events.tracing import correlation_of
from infra.callers import Caller, Callers
from infra.desk import WorkDesk
from infra.fitness import fit, is_looked_through
from infra.publishing import receipt
from infra.rejected import Rejected

STRANGER = Caller("nats", frozenset({"publish"}))
"""Whoever the server let in, and let publish, without saying who it is."""


class Messages:
    """Takes in what is said on the subjects of one home."""

    def __init__(
        self, store: EventStore, desk: WorkDesk, callers: Callers, rejected: Rejected
    ) -> None:
        self._store, self._desk = store, desk
        self._callers, self._rejected = callers, rejected

    def serves(self) -> dict[str, Serve]:
        """By subject."""
        return {subjects.PUBLISH: self.publish, subjects.WORK: self.work}

    async def publish(self, said: Said) -> dict[str, Any]:
        """An event in the log, or what is wrong with which field."""
        caller = STRANGER
        try:
            _answerable(said)
            caller = self._caller(said.headers)
            if not caller.may("publish"):
                raise _not_for(caller, "publish")
            may = OPERATOR if caller.may("admin") else ANYONE
            event_id = said.headers.get("Nats-Msg-Id")
            one = admitted(said.subject, parsed(said.body), event_id, may)
            if is_looked_through(one.type):
                one = await asyncio.to_thread(fit, one)
            trace = correlation_of(said.headers.get("traceparent"))
            answer = await self._store.submit(Append((one,), caller.actor, correlation=trace))
        except (Refused, Conflict) as error:
            body = said.body[: LIMIT + 1]
            kind, given = said.subject[:100], said.headers.get("Nats-Msg-Id")
            self._rejected.keep(caller.actor, error.body(), body, kind, given)
            raise
        assert isinstance(answer, tuple)
        return receipt(answer[0])

    async def work(self, said: Said) -> dict[str, Any]:
        """One operation of a worker."""
        caller = STRANGER
        try:
            _answerable(said)
            caller = self._caller(said.headers)
            if not caller.may("worker"):
                raise _not_for(caller, "worker")
        except Refused as error:
            self._rejected.keep(caller.actor, error.body(), said.subject.encode())
            raise
        return await self._desk.serve(said.subject, said.body, caller.actor)

    def _caller(self, headers: Mapping[str, str]) -> Caller:
        given = headers.get("Authorization")
        return STRANGER if given is None else self._callers.bearer([given])


def _answerable(said: Said) -> None:
    """Nothing is done for whoever aims our answer at something else than an inbox."""
    if said.reply and not is_inbox(said.reply):
        what = "the reply is wanted where no inbox is"
        raise Malformed(what, where="reply", right="_INBOX.SOMETHING, as clients choose it")


def _not_for(caller: Caller, scope: str) -> NotYours:
    what = "this takes a token" if caller is STRANGER else f"this token is not for {scope!r}"
    right = f"Authorization: Bearer TOKEN, of one made with --scope {scope}"
    return NotYours(what, where="token", right=right)
