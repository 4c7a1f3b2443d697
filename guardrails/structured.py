"""One structured answer: down the ladder while no rung is kept, and one repair round at the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from pydantic import BaseModel

from guardrails.asking import repair
from guardrails.calls import Message
from guardrails.declining import declines
from guardrails.endpoint import Rung
from guardrails.ladder import NOT_UNDERSTOOD, Ladder
from guardrails.reading import read
from guardrails.refusals import CallFailed, out_of_time
from guardrails.replies import SHOWN, Reply

Say = Callable[[Sequence[Message], Rung], Awaitable[Reply]]
"""Asks on one rung, as often as it takes to get a reply."""


class Structured(NamedTuple):
    """What was said, what it means, and the rung on which it was asked for."""

    reply: Reply
    value: BaseModel
    rung: Rung


async def structured(
    say: Say,
    ladder: Ladder,
    messages: Sequence[Message],
    kind: type[BaseModel],
    seconds: float | None,
) -> Structured:
    """An answer of this kind, or `CallFailed`; `seconds` bounds the wait for the first ask."""
    try:
        async with ladder.turn(seconds):
            return await _climbed_down(say, ladder, messages, kind)
    except TimeoutError:
        raise out_of_time() from None


async def _climbed_down(
    say: Say, ladder: Ladder, messages: Sequence[Message], kind: type[BaseModel]
) -> Structured:
    rung = ladder.rung
    while True:
        lower = ladder.below(rung)
        try:
            reply = await say(messages, rung)
        except CallFailed as failure:
            if lower is None or failure.status not in NOT_UNDERSTOOD:
                raise
            rung = lower
            continue
        found = read(kind, reply.text, reply.finish)
        if found.value is not None:
            ladder.worked(rung)
            return Structured(reply, found.value, rung)
        check_willing(reply, plainly=True)
        if lower is None:
            break
        rung = lower
    reply = await say([*messages, *repair(reply.text, found.wrong)], rung)
    found = read(kind, reply.text, reply.finish)
    if found.value is not None:
        ladder.worked(rung)
        return Structured(reply, found.value, rung)
    check_willing(reply, plainly=True)
    ladder.failed(rung)
    raise CallFailed(
        "rubbish",
        f"the answer is not of the form that was asked for, nor after it was sent back: "
        f"{found.wrong}",
        right="a model that can answer in this form",
        said=reply.text,
    )


def check_willing(reply: Reply, *, plainly: bool) -> None:
    """Raise where the model declined; `plainly` also listens to what it says in plain words."""
    if reply.refusal or (plainly and declines(reply.text)):
        why = (reply.refusal or reply.text)[:SHOWN]
        raise CallFailed("refused", f"the model declined: {why}", said=reply.text)
