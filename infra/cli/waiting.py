"""Publishing with a wait for the agents' answer: `--wait`, for every command that asks something.

Where no owner runs, the agents are run here, each time the log has grown since they last were. Of a
request that is settled by something later, that is waited for, and workers are run as well.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from functools import partial
from typing import Any

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
    answer["outcome"], trouble = None, None
    try:
        outcome = asyncio.run(_answered(home, one, answer["event_id"], ends, wait))
    except RatchetError as error:  # the event stands in the log: its position is told in any case
        outcome, trouble = None, error
    if outcome is not None:
        answer["outcome"] = outcome.to_json()
    show.answer(answer, _said(answer))
    if trouble is not None:
        print(f"ratchet: {trouble}", file=sys.stderr, flush=True)
        sys.exit(trouble.exit_code)
    if outcome is not None and event_class(outcome.type) and outcome.event().says_no:
        sys.exit(1)


async def _answered(
    home: Home, one: Draft, event_id: str, ends: float, wait: float
) -> Envelope | None:
    """What settles a request, or the first answer of an agent; nothing else is waited for."""
    kind, settled_at = event_class(one.type), 0
    if kind is None or not issubclass(kind, Request):
        return None
    while True:
        store = home.reader()
        try:
            answer = await _answer(store, kind, event_id)
            end = (await store.head()).position
        finally:
            await store.close()
        if answer is not None:
            return answer
        if time.monotonic() > ends:
            raise LogUnavailable(
                f"no agent has answered within {wait:g} s",
                where=event_id,
                right="the event is in the log; `ratchet why` will show the answer",
            )
        if kind.settled_by:
            from infra.cli.owning import worked  # the house and its door: only who works needs them

            await worked(home, ends, partial(_is_answered, kind=kind, event_id=event_id))
        elif end > settled_at:
            settled_at = await _settle(home)
        else:
            await asyncio.sleep(LOOK)


async def _answer(store: EventStore, kind: type[Request], event_id: str) -> Envelope | None:
    """The answer, if it is there by now."""
    if not kind.settled_by:
        effects = await store.effects([event_id])
        return next((one for one in effects if one.actor.startswith("agent:")), None)
    asked = (await store.find([event_id])).get(event_id)
    if asked is None:
        return None
    async for batch in every(store, asked.position, types=kind.settled_by):
        for envelope in batch:
            if envelope.correlation_id == asked.correlation_id:
                return envelope
    return None


async def _is_answered(store: EventStore, kind: type[Request], event_id: str) -> bool:
    return await _answer(store, kind, event_id) is not None


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
