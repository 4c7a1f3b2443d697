"""`ratchet runs`: how far each has come, and a human's hand on them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import typer

from agents.rules import ROLES
from events.errors import Malformed, NotFound
from events.ingress import admitted
from events.suggest import near
from infra.cli import show, waiting
from infra.cli.one_run import told_run
from infra.cli.states import named, state
from pipelines.forecast import remaining, whole
from pipelines.registry import run_brief
from pipelines.runs import RUNS

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

STATES = ("running", "paused", "completed", "abandoned", "cancelled")
COLUMNS = ("run", "role", "pipeline", "status", "stage", "started_at")
Run = typer.Argument(metavar="RUN", help="Which run.")
Newest = typer.Argument("", metavar="[RUN]", help="Which run; the newest if none is named.")
Reason = typer.Option("", help="Why; it stands in the history.")
Wait = typer.Option(0, metavar="[SECONDS]", help=waiting.HELP, show_default=False)


@app.callback()
def runs() -> None:
    """Training runs, and a hand on them."""


@app.command("list")
def list_runs(
    role: str = typer.Option("", help="Of this role only."),
    status: str = typer.Option("", help=f"Only those that are {', '.join(STATES)}."),
    limit: int = typer.Option(100, min=1, max=10_000, help="The newest so many."),
) -> None:
    """List runs, the oldest first."""
    if status and status not in STATES:
        raise Malformed(f"no run is ever {status[:60]!r}", where="--status", right=_near(status))
    known = state(RUNS)
    if role and all(row["role"] != role for row in known.values()):
        named("role", role, state(ROLES))  # one that has no run yet has none to list
    every = [
        row for row in known.values() if role in ("", row["role"]) and status in ("", row["status"])
    ]
    rows = [run_brief(row) for row in every[-limit:]]
    headings = (*COLUMNS[:-1], "started at (UTC)")
    table = show.table(headings, [[_cell(row, name) for name in COLUMNS] for row in rows])
    more = f"\n{len(every) - len(rows):,} older ones: --limit" if len(every) > len(rows) else ""
    none = "There are no runs like that." if known else "There are no runs yet."
    show.answer({"runs": rows, "total": len(every)}, table + more if rows else none)


@app.command("show")
def show_run(run: str = Newest) -> None:
    """Show one run: what was decided and by which figures, what was tried, what comes next."""
    rows = state(RUNS)
    row = meant(rows, run)
    found, left = whole(row, rows.values()), remaining(row, rows.values(), datetime.now(UTC))
    document = {
        **row,
        "forecast": None if found is None else found.document(),
        "remaining": None if left is None else left.document(),
    }
    show.answer(document, told_run(row, found, left))


@app.command("report")
def report_run(run: str = Newest) -> None:
    """Write the report of a run anew, and say where it lies."""
    from infra.reports import reported

    rows = state(RUNS)
    row = meant(rows, run)
    role = state(ROLES).get(row["role"])
    purpose = "" if role is None else str(role["profile"]["purpose"])
    place = reported(show.home(), row, rows.values(), purpose)
    document = {"run": row["run"], "report": str(place), "folder": str(place.parent)}
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
    stages = {one["name"]: one for one in named("run", run, state(RUNS))["stages"]}
    named("stage", stage, stages)
    _hand("RollbackRequested", run, wait, stage=stage, reason=reason)


def _hand(wire: str, run: str, wait: float, **words: str) -> None:
    """Ask it of a run that is there; whether it can be done is the trainer's answer."""
    named("run", run, state(RUNS))
    said = {key: text for key, text in words.items() if text}
    waiting.say(admitted(wire, {"run": run, **said}), wait)


def meant(rows: dict[str, Any], run: str) -> dict[str, Any]:
    """The run of this id; the newest where none is named."""
    if not run and not rows:
        right = "`ratchet publish TrainingRequested ...` asks for one"
        raise NotFound("there is no run yet", where="RUN", right=right)
    found: dict[str, Any] = named("run", run or next(reversed(rows)), rows)
    return found


def _near(status: str) -> str:
    hint = near(status, STATES)
    return f"did you mean {hint!r}?" if hint else ", ".join(STATES)


def _cell(row: dict[str, Any], name: str) -> object:
    if name == "started_at":
        return row[name][:19].replace("T", " ")
    return _status(row) if name == "status" else row[name] or ""


def _status(row: dict[str, Any]) -> str:
    """In a word or two: what it waits for where that is a person."""
    if row["ended_at"] is None and row["people"] is not None and row["people"]["open"]:
        return "asks people"
    return "held" if row["held"] and row["ended_at"] is None else str(row["status"])
