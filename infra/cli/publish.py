"""`ratchet publish`: say an event, and with --wait see what the agents answer."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import typer

from events.envelope import Draft, Envelope
from events.errors import LogUnavailable, Malformed, NotFound
from events.ingress import admitted, event_named, parsed
from events.message import Event, event_class
from infra import publishing
from infra.cli import show

app = typer.Typer(rich_markup_mode=None)


@app.command(context_settings={"ignore_unknown_options": False})
def publish(
    type: str = typer.Argument(help="Which event, for instance TrainingRequested."),
    fields: list[str] = typer.Argument(None, metavar="[KEY=VALUE]...", help="Its fields."),
    data: str = typer.Option("", help="A file with the fields as JSON; - for standard input."),
    id: str = typer.Option("", help="Publish once, however often this id is sent."),
    wait: float = typer.Option(0, help="Wait so many seconds for the agents' answer."),
) -> None:
    """Append an event and trigger work.

    Give the fields as KEY=VALUE, as a JSON file, or both; a later one wins.
    """
    home = show.home()
    one = admitted(type, given(type, fields or [], data), id or None)
    began = time.monotonic()
    answer = publishing.publish(home, one)
    if not wait:
        show.answer(answer, _said(answer))
        return
    outcome = _outcome(one, answer["event_id"], wait - (time.monotonic() - began))
    answer["outcome"] = None if outcome is None else outcome.to_json()
    show.answer(answer, _said(answer))
    if outcome is not None and (kind := event_class(outcome.type)) and kind.refusal:
        sys.exit(1)


def given(type: str, fields: list[str], file: str) -> dict[str, Any]:
    """The data of the event, from a file and from KEY=VALUE words."""
    kind = event_named(type)
    found = _from_file(file) if file else {}
    if not isinstance(found, dict):
        raise Malformed(
            f"the data of {type!r} is no JSON object", where=file, right='for instance {"role": 1}'
        )
    for word in fields:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise Malformed(
                f"{word[:60]!r} is no field", where="KEY=VALUE", right="for instance role=support"
            )
        *path, name = key.split(".")
        place = found
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise Malformed(f"{key!r} lies in something that has no fields", where=part)
        place[name] = _value(kind, path, name, text)
    return found


def _value(kind: type[Event], path: list[str], name: str, text: str) -> Any:
    """A word as JSON where it is JSON, unless the field wants a text."""
    field = None if path else kind.model_fields.get(name)
    if field is not None and "str" in repr(field.annotation) and "dict" not in repr(
        field.annotation
    ):
        return None if text == "null" and "None" in repr(field.annotation) else text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _from_file(file: str) -> Any:
    try:
        body = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except FileNotFoundError:
        raise NotFound("there is no such file", where=file) from None
    except OSError as error:
        raise Malformed(f"the file cannot be read ({error.strerror})", where=file) from None
    return parsed(body)


def _outcome(one: Draft, event_id: str, seconds: float) -> Envelope | None:
    """The first answer of an agent to a request; nothing else is waited for."""
    kind = event_class(one.type)
    request = kind is not None and hasattr(kind, "answered_by")
    return asyncio.run(_answered(event_id, request, seconds))


async def _answered(event_id: str, request: bool, seconds: float) -> Envelope | None:
    home, ends = show.home(), time.monotonic() + seconds
    while True:
        if home.owner() is None:
            await _settle()
        store = home.reader()
        try:
            effects = await store.effects([event_id])
        finally:
            await store.close()
        answers = [effect for effect in effects if effect.actor.startswith("agent:")]
        if answers or not request:
            return answers[0] if answers else None
        if time.monotonic() > ends:
            raise LogUnavailable(
                f"no agent has answered within {seconds:g} s",
                where=event_id,
                right="the event is in the log; `ratchet why` will show the answer",
            )
        await asyncio.sleep(0.02)


async def _settle() -> None:
    """Run the agents here, if nobody else owns the home."""
    from infra.assemble import settled
    from infra.home import Lock

    home = show.home()
    with Lock(home) as lock:
        if not lock.take():
            return
        store = home.writer()
        try:
            await settled(store)
        finally:
            await store.close()


def _said(answer: dict[str, Any]) -> str:
    text = f"{answer['type']} at position {answer['position']}, id {answer['event_id']}"
    outcome = answer.get("outcome")
    if outcome:
        reason = outcome["data"].get("reason")
        text += f"\n  answered: {outcome['type']}" + (f": {reason}" if reason else "")
    return text


