"""`ratchet runs`: how far each has come, and a human's hand on them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import typer

from agents.rules import ROLES
from events.ingress import admitted
from infra.cli import show, waiting
from infra.cli.one_run import told_run
from infra.cli.states import named, state
from pipelines.forecast import remaining, whole
from pipelines.runs import RUNS

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Run = typer.Argument(metavar="RUN", help="Which run.")
Reason = typer.Option("", help="Why; it stands in the history.")
Wait = typer.Option(0, metavar="[SECONDS]", help=waiting.HELP, show_default=False)


@app.callback()
def runs() -> None:
    """Training runs, and a hand on them."""


@app.command("list")
def list_runs() -> None:
    """List all runs, the oldest first."""
    rows = [_brief(row) for row in state(RUNS).values()]
    columns = ("run", "role", "pipeline", "status", "stage", "started_at")
    told = [{**row, "status": _status(row)} for row in rows]
    table = show.table(columns, [[row[name] or "" for name in columns] for row in told])
    show.answer({"runs": rows}, table if rows else "There are no runs yet.")


@app.command("show")
def show_run(run: str = Run) -> None:
    """Show one run, stage by stage: what was judged, what was done, how long it still takes."""
    rows = state(RUNS)
    row = named("run", run, rows)
    found, left = whole(row, rows.values()), remaining(row, rows.values(), datetime.now(UTC))
    document = {
        **row,
        "forecast": None if found is None else found.document(),
        "remaining": None if left is None else left.document(),
    }
    show.answer(document, told_run(row, found, left))


@app.command("report")
def report_run(run: str = Run) -> None:
    """Write the report of a run anew, and say where it lies."""
    from infra.reports import reported

    rows = state(RUNS)
    row = named("run", run, rows)
    role = state(ROLES).get(row["role"])
    purpose = "" if role is None else str(role["profile"]["purpose"])
    place = reported(show.home(), row, rows.values(), purpose)
    document = {"run": run, "report": str(place), "folder": str(place.parent)}
    show.answer(document, f"report: {place}")


@app.command()
def pause(run: str = Run, reason: str = Reason, wait: float = Wait) -> None:
    """Stop a run for a while; its open stage is withdrawn."""
    _hand("PauseRequested", run, wait, reason=reason)


@app.command()
def resume(run: str = Run, wait: float = Wait) -> None:
    """Let a paused run go on."""
    _hand("ResumeRequested", run, wait)


@app.command()
def cancel(run: str = Run, reason: str = Reason, wait: float = Wait) -> None:
    """End a run here."""
    _hand("CancelRequested", run, wait, reason=reason)


@app.command()
def hold(run: str = Run, reason: str = Reason, wait: float = Wait) -> None:
    """Let a run go no further than its present stage until somebody approves."""
    _hand("HoldRequested", run, wait, reason=reason)


@app.command()
def approve(
    run: str = Run,
    note: str = typer.Option("", help="What was looked at; it stands in the history."),
    wait: float = Wait,
) -> None:
    """Let a held run go on."""
    _hand("ApprovalGiven", run, wait, note=note)


@app.command()
def rollback(
    run: str = Run,
    stage: str = typer.Argument(help="Behind which stage it is to be again."),
    reason: str = Reason,
    wait: float = Wait,
) -> None:
    """Bring a run back to where it was behind an earlier stage; it goes on from there."""
    _hand("RollbackRequested", run, wait, stage=stage, reason=reason)


def _hand(wire: str, run: str, wait: float, **words: str) -> None:
    """Ask it of a run that is there; whether it can be done is the trainer's answer."""
    named("run", run, state(RUNS))
    said = {key: text for key, text in words.items() if text}
    waiting.say(admitted(wire, {"run": run, **said}), wait)


def _status(row: dict[str, Any]) -> str:
    """In a word or two: what it waits for where that is a person."""
    if row["ended_at"] is None and row["people"] is not None and row["people"]["open"]:
        return "asks people"
    return "held" if row["held"] and row["ended_at"] is None else str(row["status"])


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **{key: value for key, value in row.items() if key != "stages"},
        "stage": next((one["name"] for one in row["stages"] if one["status"] != "completed"), None),
    }
