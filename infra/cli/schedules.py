"""`ratchet schedules`: what happens again and again, and a hand on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from agents.scheduler.schedules import SCHEDULES
from agents.scheduler.slots import following
from events.envelope import Draft, format_time, parse_time
from events.errors import Malformed
from events.ingress import admitted
from events.memory import utc_now
from events.timing import timing
from infra import publishing
from infra.cli import show
from infra.cli.publish import given
from infra.cli.states import named, state

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Name = typer.Argument(metavar="NAME", help="Which schedule.")
WRITTEN = ("every", "cron", "zone", "misfire", "publish")


@app.callback()
def schedules() -> None:
    """What happens again and again."""


@app.command("list")
def list_schedules() -> None:
    """List the schedules, with the time at which each falls due next."""
    now = utc_now()
    rows = [_shown(row, now) for row in state(SCHEDULES).values()]
    columns = ("schedule", "status", "timing", "next", "ticks", "skipped", "publishes")
    table = show.table(columns, [_cells(row) for row in rows])
    show.answer({"schedules": rows}, table if rows else "There are no schedules yet.")


@app.command("show")
def show_schedule(name: str = Name) -> None:
    """Show one schedule."""
    show.answer(_shown(named("schedule", name, state(SCHEDULES)), utc_now()))


@app.command()
def add(
    name: str = typer.Argument(metavar="NAME", help="Its name; one of this name is replaced."),
    fields: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="The fields of what it publishes."),
    ] = None,
    every: str = typer.Option("", help="A period: 90s, 5m, 1h30m."),
    cron: str = typer.Option("", help="minute hour day-of-month month day-of-week."),
    tz: str = typer.Option("", help="The time zone of --cron; UTC unless told."),
    misfire: str = typer.Option("", help="What of slots nobody was awake at: skip, latest, all."),
    publish: str = typer.Option("", metavar="TYPE", help="The event to publish with each tick."),
) -> None:
    """Let something happen again and again; nothing is written if that is so already."""
    one = _defined(name, every, cron, tz, misfire, publish, fields or ())
    written = json.loads(one.data)
    row = state(SCHEDULES).get(name)
    changed = row is None or any(row[key] != written[key] for key in WRITTEN)
    said = publishing.publish(show.home(), one) if changed else {"position": None}
    now = utc_now()
    shown = _shown(row if row and not changed else {**_fresh(now), **written}, now)
    document = {
        "schedule": name,
        "changed": changed,
        "position": said["position"],
        "status": shown["status"],
        "next": shown["next"],
    }
    what = f"at position {said['position']}" if changed else "unchanged"
    show.answer(document, f"schedule {name}: {what}, {_next(shown)}")


@app.command()
def pause(name: str = Name) -> None:
    """Stop a schedule for a while."""
    _hand("SchedulePaused", name, "paused")


@app.command()
def resume(name: str = Name) -> None:
    """Let a paused schedule go on, from now."""
    _hand("ScheduleResumed", name, "active")


@app.command()
def remove(name: str = Name) -> None:
    """End a schedule; its history stays."""
    _hand("ScheduleRemoved", name, "removed")


def _defined(
    name: str, every: str, cron: str, tz: str, misfire: str, publish: str, fields: Sequence[str]
) -> Draft:
    if fields and not publish:
        raise Malformed(
            f"{fields[0][:60]!r} belongs to no event",
            where="KEY=VALUE",
            right="--publish TYPE says which event these are the fields of",
        )
    data: dict[str, Any] = {"schedule": name}
    words = {"every": every, "cron": cron, "zone": tz, "misfire": misfire}
    data |= {key: text for key, text in words.items() if text}
    if publish:
        data["publish"] = {"type": publish, "data": given(publish, fields)}
    return admitted("ScheduleDefined", data)


def _hand(wire: str, name: str, status: str) -> None:
    row = named("schedule", name, state(SCHEDULES))
    changed = row["status"] != status
    position = None
    if changed:
        one = admitted(wire, {"schedule": name})
        position = publishing.publish(show.home(), one)["position"]
    document = {"schedule": name, "status": status, "changed": changed, "position": position}
    told = f"position {position}" if changed else "it was so already"
    show.answer(document, f"schedule {name} is {status} ({told})")


def _fresh(now: datetime) -> dict[str, Any]:
    return {"status": "active", "defined_at": format_time(now), "ticks": 0, "skipped": 0}


def _shown(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The row, with the time at which it falls due next."""
    due = None
    if row["status"] == "active":
        defined = parse_time(row["defined_at"])
        kept = timing(row["every"], row["cron"], row["zone"], defined)
        due = format_time(following(kept, max(now, defined)))
    return {**row, "next": due}


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    when = f"every {row['every']}" if row["every"] else f"{row['cron']} {row['zone']}"
    publishes = row["publish"]["type"] if row["publish"] else ""
    next_one = row["next"][:19] + "Z" if row["next"] else ""
    return (
        row["schedule"], row["status"], when, next_one, row["ticks"], row["skipped"], publishes,
    )  # fmt: skip


def _next(row: dict[str, Any]) -> str:
    return f"next at {row['next'][:19]}Z" if row["next"] else row["status"]
