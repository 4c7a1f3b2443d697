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
    text = head + show.table(columns, [_stage(one) for one in row["stages"]])
    checks = [line for one in row["stages"] for line in _checks(one)]
    if checks:
        headings = ("stage", "metric", "value", "from", "to", "items", "bound", "verdict")
        text += "\n\n" + show.table(headings, checks)
    for one in row["stages"]:
        for remedy in (one["gate"] or {}).get("remedies", ()):
            text += f"\n{one['name']}: {remedy['symptom']}, {remedy['remedy']}, on from"
            text += f" {remedy['back_to']}"
    return text


def _checks(stage: dict[str, Any]) -> list[tuple[object, ...]]:
    """The figures that its gate looked at last."""
    found: list[tuple[object, ...]] = []
    for one in (stage["gate"] or {}).get("checks", ()):
        sign = ">=" if one["side"] == "at_least" else "<="
        value, low, high = (
            "" if one[name] is None else f"{one[name]:.3g}" for name in ("value", "low", "high")
        )
        bound = f"{sign} {one['bound']:g}"
        found.append(
            (stage["name"], one["metric"], value, low, high, one["n"], bound, one["verdict"])
        )
    return found


def _stage(one: dict[str, Any]) -> tuple[object, ...]:
    seconds = "" if one["seconds"] is None else f"{one['seconds']:.1f}"
    gate = (one["gate"] or {}).get("verdict", "")
    return one["name"], one["status"], one["attempts"] or "", seconds, gate
