"""`ratchet events`: the catalogue, and the history as it lies there."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Annotated

import typer

from events.envelope import Envelope
from events.errors import LogUnavailable, NotFound, RatchetError
from events.ingress import event_named
from events.message import event_class, event_classes
from events.schema import described, document, sentence
from events.store import EventStore, every
from events.suggest import near
from events.why import event_at
from infra.cli import show
from infra.cli.telling import HEADING, line

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)
Reveal = typer.Option(False, "--reveal", help="Personal fields in plain text.")

BATCH = 1000
LOOK = 0.1
"""Seconds between looks of `tail`; one look reads one row."""
AGAIN = 20
"""Looks after which `tail` opens the database anew: it may be there now, or be another one."""
FARTHEST = 2**62

Types = Annotated[list[str] | None, typer.Option("--type", help="Only these; may be repeated.")]


@app.callback()
def events() -> None:
    """The catalogue and the history."""


@app.command()
def types(
    name: str = typer.Argument("", metavar="NAME", help="One of them, with its schema."),
) -> None:
    """List what can happen, or show one kind of event with its schema and an example."""
    if not name:
        kinds = event_classes().values()
        rows = [(kind.wire, kind.publisher, sentence(kind)) for kind in kinds]
        listed = [dict(zip(("type", "publisher", "doc"), row, strict=True)) for row in rows]
        show.answer({"types": listed}, show.table(("type", "publisher", "what it says"), rows))
        return
    if event_class(name) is None:
        raise _unknown(name)
    show.answer(described(event_named(name)))


@app.command()
def schema() -> None:
    """Print one JSON Schema of the whole catalogue."""
    show.answer(document())


@app.command()
def asyncapi() -> None:
    """Print what goes over NATS as an AsyncAPI document, for clients in any language."""
    from events.asyncapi import document as wire  # 15 ms that the others need not pay

    show.answer(wire())


@app.command("list")
def list_events(
    after: int = typer.Option(0, min=0, help="Begin behind this position."),
    limit: int = typer.Option(100, min=1, help="At most so many."),
    kinds: Types = None,
    stream: str = typer.Option("", help="Only this stream, such as run/7f3a."),
    reveal: bool = Reveal,
) -> None:
    """List the history in order, as much of it as asked for."""
    begin, most = min(after, FARTHEST), min(limit, FARTHEST)
    show.reading(lambda store: _list(store, begin, most, kinds or (), stream, reveal))


@app.command("show")
def show_event(
    event: str = typer.Argument(metavar="EVENT", help="Its id, or its position."),
    reveal: bool = Reveal,
) -> None:
    """Show one event with its envelope."""

    async def found(store: EventStore) -> Envelope:
        one = await event_at(store, event)
        return (await store.reveal([one]))[0] if reveal else one

    show.answer(show.reading(found).to_json())


@app.command()
def tail(
    after: int = typer.Option(-1, show_default="now", help="Begin behind this position."),
    kinds: Types = None,
) -> None:
    """Print events as they are written, one a line, until Ctrl-C."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_follow(min(after, FARTHEST), kinds or ()))


async def _list(
    store: EventStore, after: int, limit: int, kinds: Sequence[str], stream: str, reveal: bool
) -> None:
    await _known(store, kinds)
    shown, last, left, trouble = 0, after, False, None
    _write('{"events": [' if show.Chosen.json else HEADING + "\n")
    try:
        async for envelope in _chosen(store, after, kinds, stream, min(BATCH, limit + 1)):
            left = shown == limit
            if left:
                break
            if reveal:
                (envelope,) = await store.reveal([envelope])
            if show.Chosen.json:
                _write((", " if shown else "") + _json(envelope))
            else:
                _write(line(envelope) + "\n")
            shown, last = shown + 1, envelope.position
    except RatchetError as error:
        left, trouble = True, error
    if show.Chosen.json:
        more = "" if trouble is None else f', "error": {json.dumps(trouble.body())}'
        _write(f'], "next": {last if left else "null"}{more}}}\n')
    elif left and trouble is None:
        _write(f"There is more: --after {last}\n")
    sys.stdout.flush()
    if trouble is not None:
        print(f"ratchet: {trouble}", file=sys.stderr, flush=True)
        sys.exit(trouble.exit_code)


async def _chosen(
    store: EventStore, after: int, kinds: Sequence[str], stream: str, batch: int
) -> AsyncIterator[Envelope]:
    if not stream:
        async for envelopes in every(store, after, types=kinds or None, batch=batch):
            for envelope in envelopes:
                yield envelope
        return
    version = 0
    while envelopes := await store.stream(stream, version, BATCH):
        version = envelopes[-1].version
        for envelope in envelopes:
            if envelope.position > after and (not kinds or envelope.type in kinds):
                yield envelope


async def _follow(after: int, kinds: Sequence[str]) -> None:
    checked, away = False, ""
    while True:
        try:
            store = show.home().reader()
            try:
                if not checked:
                    await _known(store, kinds)
                    checked = True
                if after < 0:
                    after = (await store.head()).position
                for _ in range(AGAIN):
                    after = await _news(store, after, kinds)
                    away = ""
                    await asyncio.sleep(LOOK)
            finally:
                await store.close()
        except LogUnavailable as error:
            if str(error) != away:
                away = str(error)
                print(f"ratchet: waiting: {away}", file=sys.stderr, flush=True)
            await asyncio.sleep(LOOK * AGAIN)


async def _news(store: EventStore, after: int, kinds: Sequence[str]) -> int:
    """Print what is new; up to where that is."""
    end = (await store.head()).position
    if end <= after:
        return after
    async for envelopes in every(store, after, end, kinds or None):
        for envelope in envelopes:
            _write((_json(envelope) if show.Chosen.json else line(envelope)) + "\n")
        sys.stdout.flush()
    return end


async def _known(store: EventStore, kinds: Sequence[str]) -> None:
    """A name that is neither in the catalogue nor in the log is a slip."""
    for name in kinds:
        if event_class(name) is None and not await store.read(0, None, 1, [name]):
            raise _unknown(name)


def _unknown(name: str) -> NotFound:
    hint = near(name[:100], event_classes())
    right = f"did you mean {hint!r}?" if hint else "`ratchet events types` lists them"
    return NotFound(f"no event is named {name[:60]!r}", where="type", right=right)


def _json(envelope: Envelope) -> str:
    return json.dumps(envelope.to_json(), ensure_ascii=False)


def _write(text: str) -> None:
    sys.stdout.write(text)
