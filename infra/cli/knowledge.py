"""`ratchet knowledge`: what the fleet knows; search it, add to it, make its index anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import typer
from pydantic import ValidationError

from events.envelope import parse_time
from events.errors import LogUnavailable, Malformed, NotFound
from events.suggest import malformed
from infra.cli import show
from infra.cli.adding import added, drafts
from infra.client import NoAnswer, call
from infra.home import WAIT, Home, Lock, busy

if TYPE_CHECKING:
    from infra.asking import Asked
    from infra.knowledge import Keeper

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

LOOK = 0.3
"""Seconds between looks how far a new index is."""
SHOWN = 100
"""Characters of a text in a table."""
EMPTY: dict[str, Any] = {"hits": [], "embedder": "", "degraded": "", "generation": None}
NOTHING: dict[str, Any] = {"generation": None, "points": 0, "position": 0, "building": None}

Role = Annotated[str, typer.Option(help="For this role, and what is for all.")]
Kind = Annotated[str, typer.Option(help="Such as fact, rule, example or lesson.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="One of its tags; may be repeated.")]


@app.callback()
def knowledge() -> None:
    """What the fleet knows."""


@app.command()
def search(
    text: str = typer.Argument(metavar="TEXT", help="A question, or words."),
    limit: int = typer.Option(10, min=1, max=100, help="How many hits."),
    role: Role = "",
    kind: Kind = "",
    tag: Tags = None,
    at: str = typer.Option("", help="What held at this time; now, unless told."),
    personal: bool = typer.Option(False, help="Also what is about people."),
) -> None:
    """Search what is known; each hit cites the event that says so."""
    if not text.strip():
        raise Malformed("nothing is asked", where="TEXT", right="a question, or words")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Malformed("the text is not UTF-8", where="TEXT", right="text in UTF-8")
    asked: dict[str, Any] = {"text": text, "limit": limit, "role": role, "kind": kind}
    asked |= {"tag": tag or [], "at": _time(at), "personal": "true" if personal else ""}
    given = {key: one for key, one in asked.items() if one}
    checked, query = _checked(given), urlencode(given, doseq=True)

    async def alone(keeper: Keeper) -> Any:
        await keeper.look(show.progress("making the index"))
        return (await keeper.search(checked.question())).to_json()

    found = asked_of("GET", f"/knowledge/search?{query}", alone) or EMPTY
    show.answer(found, _told(found))


@app.command()
def add(
    text: str = typer.Argument("", metavar="[TEXT]", help="What is to be known."),
    file: str = typer.Option("", help="JSON lines, or a text of paragraphs; - for a pipe."),
    kind: Kind = "",
    role: Role = "",
    tag: Tags = None,
    source: str = typer.Option("", help="Where it was taken from."),
    valid_from: str = typer.Option("", help="From when on it holds."),
    valid_to: str = typer.Option("", help="Until when it holds."),
) -> None:
    """Add an item, or those of a file; the same line of a file is added once."""
    more: dict[str, Any] = {"kind": kind, "role": role, "tags": tag, "source": source}
    more |= {"valid_from": _time(valid_from), "valid_to": _time(valid_to)}
    given = {key: one for key, one in more.items() if one}
    said = added(show.home(), drafts(text, file, given))
    document = {**(said[0] if len(said) == 1 else {}), "added": len(said)}
    last = f", the last at position {said[-1]['position']}" if said else ""
    show.answer(document, f"{len(said):,} item{'s' if len(said) != 1 else ''} added{last}")


@app.command()
def stats() -> None:
    """Show what there is: items, embedder, generation, and how far it has come."""

    async def alone(keeper: Keeper) -> Any:
        await keeper.look(show.progress("making the index"))
        return await keeper.stats()

    show.answer(asked_of("GET", "/knowledge", alone) or NOTHING)


@app.command()
def rebuild() -> None:
    """Make the index anew from the log; the present one answers meanwhile."""

    async def alone(keeper: Keeper) -> Any:
        keeper.make_anew()
        await keeper.look(show.progress("making the index"))
        return await keeper.stats()

    asked = asked_of("POST", "/knowledge/rebuild", alone) or NOTHING
    show.answer(_awaited(asked["former"]) if "former" in asked else asked)


def _checked(given: dict[str, Any]) -> Asked:
    """The same checks as at the door."""
    from infra.asking import Asked

    try:
        return Asked.model_validate(given)
    except ValidationError as error:
        raise malformed(Asked, error) from None


def asked_of(method: str, path: str, alone: Callable[[Keeper], Awaitable[Any]]) -> Any:
    """The owner's answer, or our own where nobody owns the home; None where there is no log."""
    home, ends = show.home(), time.monotonic() + WAIT
    while True:
        owner = home.owner()
        if owner is not None:
            try:
                return call(owner, method, path)
            except NoAnswer:
                pass
            except LogUnavailable as away:
                if away.where != "knowledge" or not _goes_on(owner):
                    raise
                ends = time.monotonic() + WAIT
        elif not home.mainstay.exists():
            return None
        else:
            with Lock(home) as lock:
                if lock.take():
                    return asyncio.run(_alone(home, alone))
        if time.monotonic() > ends:
            raise busy(home, WAIT)
        time.sleep(LOOK)


async def _alone(home: Home, work: Callable[[Keeper], Awaitable[Any]]) -> Any:
    """With a keeper of our own, for as long as it takes."""
    from infra.knowledge import keeper
    from infra.settings import configuration

    store = home.writer()
    try:
        mine = keeper(home, configuration().settings, store)
        if mine is None:
            raise NotFound(
                "there is no knowledge base here: no engine is installed",
                where="knowledge",
                right="pip install 'ratchet-fleet[knowledge]', or set knowledge.url",
            )
        try:
            return await work(mine)
        finally:
            await mine.close()
    finally:
        await store.close()


def _goes_on(owner: dict[str, Any]) -> bool:
    """Whether an index is being made there, or has just been; tells how far it is."""
    found = call(owner, "GET", "/knowledge")
    if found["building"]:
        _progress(found["building"]["done"], found["building"]["of"])
    return bool(found["building"] or found["generation"])


def _awaited(former: str | None) -> Any:
    """What there is when the new index answers."""
    while True:
        owner = show.home().owner()
        if owner is None:
            raise LogUnavailable("the owner of the home has ended", where="knowledge")
        found = call(owner, "GET", "/knowledge")
        if found["building"]:
            _progress(found["building"]["done"], found["building"]["of"])
        elif found["failure"]:
            raise LogUnavailable(found["failure"], where="knowledge")
        elif found["generation"] != former or former is None:
            return found
        time.sleep(LOOK)


_shown: list[Callable[[int, int], None]] = []


def _progress(done: int, whole: int) -> None:
    if not _shown:
        _shown.append(show.progress("making the index"))
    _shown[0](done, whole)


def _time(text: str) -> str:
    if not text:
        return ""
    try:
        moment = parse_time(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        what = f"{text[:60]!r} is no time"
        raise Malformed(what, where="time", right="for instance 2026-11-21T03:00:00Z")
    return text


def _told(found: dict[str, Any]) -> str:
    note = f"\n(degraded: {found['degraded']})" if found["degraded"] else ""
    if not found["hits"]:
        return f"Nothing is known of it.{note}"
    rows = [
        (f"{one['score']:.3f}", " ".join(one["text"].split())[:SHOWN], one["source_event"])
        for one in found["hits"]
    ]
    return show.table(("score", "text", "event"), rows) + note
