"""Publishing with a wait for the agents' answer: `--wait`, for every command that asks something.

Where no owner runs, the agents are run here, each time the log has grown since they last were. Of a
request that is settled by something later, that is waited for, and workers are run as well. Where
people have to say something first, whoever waits is told at once what, and by which command.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from events.catalog.reviews import ReviewOpened
from events.envelope import Draft, Envelope
from events.errors import LogUnavailable, Malformed, RatchetError
from events.message import Request, event_class
from events.store import EventStore, every
from infra import publishing
from infra.cli import show
from infra.home import Home, Lock

HELP = "Wait for the agents' answer, 30 seconds unless told; 1 if they say no, 4 if none comes."
LOOK = 0.02
"""Seconds between looks for an answer."""


def say(one: Draft, wait: float) -> None:
    """Publish, answer as `publish` does, and end with the exit code that the outcome asks for."""
    if not (wait >= 0 and math.isfinite(wait)):
        raise Malformed(
            f"{wait:g} is no time to wait", where="--wait", right="seconds, for instance 30"
        )
    home, ends = show.home(), time.monotonic() + wait
    answer = publishing.publish(home, one)
    if not wait:
        show.answer(answer, _said(answer))
        return
    answer["outcome"], trouble, people = None, None, _People()
    try:
        outcome = asyncio.run(_answered(home, one, answer["event_id"], ends, wait, people))
    except RatchetError as error:  # the event stands in the log: its position is told in any case
        outcome, trouble = None, error
    if outcome is None and people.asked is not None:
        answer["waits_for"] = {"review": people.asked.review, "count": people.asked.count}
    if outcome is not None:
        answer["outcome"] = outcome.to_json()
    show.answer(answer, _said(answer))
    if trouble is not None:
        print(f"ratchet: {trouble}", file=sys.stderr, flush=True)
        sys.exit(trouble.exit_code)
    if outcome is not None and event_class(outcome.type) and outcome.event().says_no:
        sys.exit(1)


async def _answered(
    home: Home, one: Draft, event_id: str, ends: float, wait: float, people: _People
) -> Envelope | None:
    """What settles a request, or the first answer of an agent; nothing else is waited for."""
    kind, settled_at = event_class(one.type), 0
    if kind is None or not issubclass(kind, Request):
        return None
    while True:
        store = home.reader()
        try:
            answer = await people.answer(store, kind, event_id)
            end = (await store.head()).position
        finally:
            await store.close()
        if answer is not None:
            return answer
        if time.monotonic() > ends:
            raise people.late(wait, event_id)
        if kind.settled_by:
            from infra.cli.owning import worked  # the house and its door: only who works needs them

            done = partial(_is_answered, kind=kind, event_id=event_id, people=people)
            await worked(home, ends, done)
        elif end > settled_at:
            settled_at = await _settle(home)
        else:
            await asyncio.sleep(LOOK)


async def _answer(store: EventStore, kind: type[Request], event_id: str) -> Envelope | None:
    """The answer, if it is there by now."""
    effects = await store.effects([event_id])
    first = next((one for one in effects if one.actor.startswith("agent:")), None)
    if not kind.settled_by or first is None:
        return first
    begun = kind.begins and getattr(first.event(), kind.begins, None)
    async for batch in every(store, first.position - 1, types=kind.settled_by):
        for envelope in batch:
            if envelope.correlation_id == first.correlation_id:
                return envelope
            if begun and getattr(envelope.event(), kind.begins, None) == begun:
                return envelope
    return None


async def _queue(store: EventStore, event_id: str) -> ReviewOpened | None:
    """The queue that an agent has opened for this request."""
    known = (await store.find([event_id])).get(event_id)
    if known is None:
        return None
    async for batch in every(store, known.position, types=(ReviewOpened.wire,)):
        for one in batch:
            ours = one.correlation_id == known.correlation_id and one.actor.startswith("agent:")
            event = one.event() if ours else None
            if isinstance(event, ReviewOpened):
                return event
    return None


async def _is_answered(
    store: EventStore, kind: type[Request], event_id: str, people: _People
) -> bool:
    return await people.answer(store, kind, event_id) is not None


@dataclass
class _People:
    """Whether people are waited for, which whoever waits is told once."""

    asked: ReviewOpened | None = None

    async def answer(
        self, store: EventStore, kind: type[Request], event_id: str
    ) -> Envelope | None:
        """The answer, if it is there; else a word about people who are asked, if any are."""
        found = await _answer(store, kind, event_id)
        if found is not None or self.asked is not None or not kind.settled_by:
            return found
        asked = await _queue(store, event_id)
        if asked is None:
            return None
        found = await _answer(store, kind, event_id)  # a set that has ended asks people, too
        if found is None:
            self.asked = asked
            print(f"ratchet: {self._said()}", file=sys.stderr, flush=True)
        return found

    def late(self, wait: float, event_id: str) -> LogUnavailable:
        """What is said when the time is up."""
        if self.asked is None:
            return LogUnavailable(
                f"no agent has answered within {wait:g} s",
                where=event_id,
                right="the event is in the log; `ratchet why` will show the answer",
            )
        return LogUnavailable(
            f"people have not answered within {wait:g} s",
            where=self.asked.review,
            right=f"{self._said()}; the agents go on when enough of them are answered",
        )

    def _said(self) -> str:
        asked = self.asked
        assert asked is not None
        pairs = "1 pair waits" if asked.count == 1 else f"{asked.count:,} pairs wait"
        return f"{pairs} for people, `ratchet review list {asked.review}` shows them"


async def _settle(home: Home) -> int:
    """Run the agents here, if nobody else owns the home; up to where they have answered."""
    with Lock(home) as lock:
        if not lock.take():
            await asyncio.sleep(LOOK)
            return 0
        from infra.assemble import settled  # all agents: who waits beside an owner needs none

        store = home.writer()
        try:
            await settled(store)
            return (await store.head()).position
        finally:
            await store.close()


def _said(answer: dict[str, Any]) -> str:
    text = f"{answer['type']} at position {answer['position']}, id {answer['event_id']}"
    outcome = answer.get("outcome")
    if outcome:
        reason = outcome["data"].get("reason") or outcome["data"].get("verdict")
        text += f"\n  answered: {outcome['type']}" + (f": {reason}" if reason else "")
    return text
