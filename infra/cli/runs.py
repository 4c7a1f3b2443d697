"""`ratchet runs`: how far each has come, and a human's hand on them."""

from __future__ import annotations

from typing import Any

import typer

from events.ingress import admitted
from infra.cli import show, waiting
from infra.cli.states import named, state
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
    table = show.table(columns, [[row[name] or "" for name in columns] for row in rows])
    show.answer({"runs": rows}, table if rows else "There are no runs yet.")


@app.command("show")
def show_run(run: str = Run) -> None:
    """Show one run, stage by stage."""
    row = named("run", run, state(RUNS))
    show.answer(row, _text(row))


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


def _hand(wire: str, run: str, wait: float, **words: str) -> None:
    """Ask it of a run that is there; whether it can be done is the trainer's answer."""
    named("run", run, state(RUNS))
    said = {key: text for key, text in words.items() if text}
    waiting.say(admitted(wire, {"run": run, **said}), wait)


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **{key: value for key, value in row.items() if key != "stages"},
        "stage": next((one["name"] for one in row["stages"] if one["status"] != "completed"), None),
    }


def _text(row: dict[str, Any]) -> str:
    held = ", held until somebody approves" if row["held"] else ""
    reason = f": {row['reason']}" if row["reason"] else ""
    head = (
        f"Run {row['run']} of role {row['role']}, pipeline {row['pipeline']}, from {row['base']}, "
        f"seed {row['seed']}\n{row['status']}{reason}{held}, begun {row['started_at'][:19]}Z\n\n"
    )
    columns = ("stage", "status", "attempts", "seconds", "gate")
    return head + show.table(columns, [_stage(one) for one in row["stages"]])


def _stage(one: dict[str, Any]) -> tuple[object, ...]:
    seconds = "" if one["seconds"] is None else f"{one['seconds']:.1f}"
    gate = (one["gate"] or {}).get("verdict", "")
    return one["name"], one["status"], one["attempts"] or "", seconds, gate
