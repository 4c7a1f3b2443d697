"""`ratchet memories`: what models remember, what they are told, what is gone and by which event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import typer
from pydantic import ValidationError

from agents.rules import ROLES
from events.envelope import parse_time
from events.errors import Malformed
from events.ingress import admitted
from events.memory import utc_now
from events.personal import is_sealed
from events.store import EventStore
from events.suggest import malformed
from infra.cli import show, waiting
from infra.cli.states import missing, named, present, state
from infra.settings import configuration
from memory.remembering.memories import MEMORIES

if TYPE_CHECKING:
    from infra.knowledge import Keeper

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Item = typer.Argument(metavar="ID", help="Which memory.")
Role = typer.Option("", metavar="ROLE", help="Only those of this role.")
Wait = typer.Option(0, metavar="[SECONDS]", help=waiting.HELP, show_default=False)
Reveal = typer.Option(False, "--reveal", help="Personal memories in plain text.")
Model = typer.Option("", help="The model that says or asks.")
Session = typer.Option("", help="The session that it belongs to.")
PATIENCE = 60.0
"""Seconds that an embedder has which begins with this command."""
COLUMNS = ("id", "role", "scope", "kind", "status", "since", "until", "text")


@app.callback()
def memories() -> None:
    """What models remember."""


@app.command("list")
def list_memories(
    role: str = Role,
    status: str = typer.Option("kept", help="kept, expired, erased, or all."),
    reveal: bool = Reveal,
) -> None:
    """List memories in the order in which they were told; those that are kept unless told."""
    rows = [
        row
        for row in _rows(reveal)
        if role in ("", row["role"]) and status in ("all", row["status"])
    ]
    table = show.table(COLUMNS, [_cells(row) for row in rows])
    show.answer({"memories": rows}, table if rows else "There are no such memories.")


@app.command("show")
def show_memory(item: str = Item, reveal: bool = Reveal) -> None:
    """Show one memory: its text, its sources, and by which events it was kept and ended."""
    known = {row["id"]: row for row in _rows(reveal)}
    show.answer(named("memory", item, known))


@app.command()
def tell(
    role: str = typer.Argument(metavar="ROLE", help="Whose memory it is."),
    text: str = typer.Argument(metavar="TEXT", help="What is to be remembered."),
    kind: str = typer.Option("fact", help="fact, episode, skill, preference or lesson."),
    about: str = typer.Option("", help="What it tells of; a later one about it closes it."),
    subject: str = typer.Option("", help="The person whom it speaks of; it is sealed then."),
    model: str = Model,
    session: str = Session,
    scope: str = typer.Option("", help="role, model or session; else the narrowest named."),
    confidence: float = typer.Option(1.0, help="How sure it is, from 0 to 1."),
    since: str = typer.Option("", "--from", help="Since when it is so; else since now."),
    until: str = typer.Option("", "--to", help="Until when it is so."),
    source: Annotated[
        list[str] | None, typer.Option(help="An event it was learned from; may be repeated.")
    ] = None,
    wait: float = Wait,
) -> None:
    """Tell the models of a role something to remember."""
    narrowest = "session" if session else "model" if model else "role"
    data: dict[str, Any] = {
        "role": role,
        "text": text,
        "kind": kind,
        "scope": scope or narrowest,
        "confidence": confidence,
        "sources": source or [],
    }
    words = {
        "about": about, "model": model, "session": session, "subject": subject,
        "valid_from": since, "valid_to": until,
    }  # fmt: skip
    data |= {key: value for key, value in words.items() if value}
    waiting.say(admitted("PersonalMemoryProposed" if subject else "MemoryProposed", data), wait)


@app.command()
def recall(
    role: str = typer.Argument(metavar="ROLE", help="Who remembers."),
    question: str = typer.Argument(metavar="QUESTION", help="What is asked."),
    model: str = Model,
    session: str = Session,
    at: str = typer.Option("", metavar="TIME", help="As it was then; else as it is now."),
    limit: int = typer.Option(5, min=1, max=100, help="At most so many."),
    tokens: int = typer.Option(0, min=0, help="Room for them; else a quarter of the window."),
    reveal: bool = typer.Option(False, "--reveal", help="Personal memories too, in plain text."),
) -> None:
    """Find what answers a question; where nothing does, say so."""
    from infra.cli.knowledge import asked_of
    from infra.recalling import Asked, recalled

    given: dict[str, Any] = {"role": role, "text": question, "limit": limit, "tokens": tokens}
    words = {"model": model, "session": session, "at": _moment(at) if at else None}
    given |= {key: value for key, value in words.items() if value}
    try:
        asked = Asked(**given, reveal=reveal)
    except ValidationError as error:
        raise malformed(Asked, error) from None
    named("role", role, state(ROLES))

    async def alone(keeper: Keeper | None, store: EventStore) -> Any:
        rows, profiles = await _read(store, reveal), await present(ROLES, store)
        found = None if keeper is None else keeper.recollection
        return await recalled(asked, rows, profiles, found, PATIENCE)

    query = urlencode({**asked.model_dump(mode="json", exclude_defaults=True)})
    if show.home().owner() is None and not configuration().settings.models.embedder.url:
        found = show.reading(lambda store: alone(None, store))
    else:
        found = asked_of("GET", f"/memories/recall?{query}", lambda one: alone(one, one.store))
    show.answer(found, _remembered(found))


@app.command()
def erase(
    role: str = typer.Argument(metavar="ROLE", help="Whose memory."),
    reason: str = typer.Argument(metavar="REASON", help="Why; it stands in the history."),
    item: str = typer.Option("", help="One memory."),
    session: str = typer.Option("", help="All of a session."),
    source: str = typer.Option("", help="All that was learned from an event, by whatever role."),
    wait: float = Wait,
) -> None:
    """Put memories out: they are found no more. Only a sealed text can vanish from the log."""
    words = {"item": item, "session": session, "source": source}
    data = {key: value for key, value in words.items() if value}
    waiting.say(admitted("EraseRequested", {"role": role, "reason": reason, **data}), wait)


@app.command()
def merge(
    role: str = typer.Argument(metavar="ROLE", help="Whose memory."),
    item: str = typer.Argument(metavar="ID", help="The one that goes."),
    into: str = typer.Argument(metavar="INTO", help="The one that is left, with both sources."),
    wait: float = Wait,
) -> None:
    """Say that two memories are one."""
    waiting.say(admitted("MergeRequested", {"role": role, "item": item, "into": into}), wait)


@app.command()
def account(role: str = typer.Argument(metavar="ROLE", help="Whose memory.")) -> None:
    """Show what of a role's memory was kept, what is gone, and by which event each."""
    from events.catalog.role_needs import Memory
    from memory.remembering.account import account as accounted

    profiles, rows = state(ROLES), list(state(MEMORIES).values())
    if role not in profiles and not any(row["role"] == role for row in rows):
        raise missing("role", role, profiles)
    kept = profiles.get(role, {"profile": {"memory": {}}})["profile"]["memory"]
    found = accounted(rows, role, Memory(**kept), utc_now())
    columns = ("id", "kind", "status", "kept_by", "ended_by", "because")
    cells = [[row[name] or "" for name in columns] for row in found["memories"]]
    counts = ", ".join(f"{many} {status}" for status, many in found["counts"].items())
    overdue = f", {len(found['overdue'])} overdue" if found["overdue"] else ""
    head = f"{role}: {counts or 'nothing yet'}{overdue}\n"
    show.answer(found, head + (show.table(columns, cells) if cells else ""))


def _rows(reveal: bool) -> list[dict[str, Any]]:
    return show.reading(lambda store: _read(store, reveal))


async def _read(store: EventStore, reveal: bool) -> list[dict[str, Any]]:
    """All memories; the sealed ones opened where that is asked for and their key is there."""
    rows = list((await present(MEMORIES, store)).values())
    if not reveal:
        return rows
    from infra.recalling import revealed

    return await revealed(rows, store)


def _remembered(found: dict[str, Any]) -> str:
    note = f"\n({found['degraded']})" if found["degraded"] else ""
    if found["abstained"]:
        nearest = f"the nearest scores {found['best']:.2f}"
        return f"Nothing is remembered that answers this ({nearest}).{note}"
    cells = [
        (one["id"], one["kind"], f"{one['score']:.2f}", one["valid_from"][:10], one["text"])
        for one in found["items"]
    ]
    room = f"\n{found['tokens']} of {found['budget']} tokens"
    if found["left_out"]:
        room += f", {len(found['left_out'])} left out for want of room"
    return show.table(("id", "kind", "score", "since", "text"), cells) + room + note


def _moment(text: str) -> Any:
    try:
        moment = parse_time(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Malformed(
            f"{text[:60]!r} is no time", where="--at", right="for instance 2026-11-21T03:00:00Z"
        )
    return moment


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    text = "(sealed)" if is_sealed(row["text"]) else row["text"] or f"({row['because']})"
    return (
        row["id"], row["role"], row["scope"], row["kind"], row["status"],
        (row["valid_from"] or "")[:10], (row["valid_to"] or "")[:10], text,
    )  # fmt: skip
