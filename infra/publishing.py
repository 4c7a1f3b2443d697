"""Saying an event to a home: through its owner if one runs, else as its owner for a moment."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from events.envelope import Draft
from events.store import append
from infra.client import NoAnswer, call
from infra.fitness import fit
from infra.home import WAIT, Home, Lock, busy


def publish(home: Home, one: Draft) -> dict[str, Any]:
    """Append the event durably, once, whoever owns the home; the answer of `publish`."""
    body = {"type": one.type, "data": json.loads(one.data), "id": one.event_id}
    ends = time.monotonic() + WAIT
    while True:
        owner = home.owner()
        if owner is not None:
            try:
                answer: dict[str, Any] = call(owner, "POST", "/events", body)
            except NoAnswer:
                pass
            else:
                return answer
        with Lock(home) as lock:
            if lock.take():
                return asyncio.run(_said(home, fit(one)))
        if time.monotonic() > ends:
            raise busy(home, WAIT)
        time.sleep(0.05)


async def _said(home: Home, one: Draft) -> dict[str, Any]:
    store = home.writer()
    try:
        (envelope,) = await append(store, one._replace(known_id=True), actor="cli")
    finally:
        await store.close()
    return receipt(envelope)


def receipt(envelope: Any) -> dict[str, Any]:
    """What one who published is told."""
    return {
        "position": envelope.position,
        "event_id": envelope.event_id,
        "type": envelope.type,
        "stream": envelope.stream,
        "version": envelope.version,
    }
