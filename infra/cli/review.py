"""`ratchet review`: pairs of answers that wait for a person to say which is the better."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from events.errors import NotFound, Refused
from events.ingress import admitted
from infra import publishing
from infra.cli import show
from infra.cli.keeping import content, opened, written_to
from infra.cli.states import named, state

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Review = typer.Argument(metavar="REVIEW", help="Which queue.")
MOST = 10_000
"""Answers of one event."""
CLOSED = "the run that asked has gone on: nothing waits for an answer"
SHOWN = 10
"""Pairs that are shown at once."""


@app.callback()
def review() -> None:
    """Pairs of answers that wait for a person."""


@app.command("list")
def list_reviews(
    review: str = typer.Argument("", metavar="[REVIEW]", help="One queue, with what is open."),
) -> None:
    """List the queues, or the pairs of one that nobody has answered yet."""
    from pipelines.data.queues import REVIEWS

    known = state(REVIEWS)
    if review:
        rows = _waiting(named("review", review, known))
        text = "\n\n".join(_pair(one) for one in rows[:SHOWN])
        more = f"\n\n{len(rows) - SHOWN:,} more wait behind them" if len(rows) > SHOWN else ""
        said = f"{text}{more}\n\nnext: `ratchet review answer {review} ITEM a|b|same|unfit`"
        over = CLOSED if known[review]["closed"] else "Nothing waits there."
        show.answer({"review": review, "waiting": rows}, said if rows else over)
        return
    rows = [_brief(row) for row in known.values()]
    columns = ("review", "role", "count", "answered", "status", "opened_at")
    table = show.table(columns, [[row[name] for name in columns] for row in rows])
    show.answer({"reviews": rows}, table if rows else "There are no queues yet.")


@app.command("open")
def open_review(
    review: str = Review,
    file: str = typer.Argument(metavar="FILE", help="JSON lines with prompt, a and b, or pairs."),
    role: str = typer.Option(..., help="The role that is to learn from them."),
) -> None:
    """Queue pairs, so that people can say which answer is the better."""
    from agents.rules import ROLES
    from infra.cli import importing
    from pipelines.data.reviewing import queued as asked

    named("role", role, state(ROLES))
    importing.unopened(review, role)
    found = importing.read(file, "review", "unknown")
    event = importing.queued(review, role, asked(one.row for one in found.rows))
    show.answer(event, f"queue {review}: {event['count']:,} pairs wait")


@app.command()
def answer(
    review: str = Review,
    item: int = typer.Argument(metavar="ITEM", help="Its number in the queue."),
    choice: str = typer.Argument(metavar="CHOICE", help="a, b, same or unfit."),
) -> None:
    """Say of one pair which answer is the better."""
    _say(review, [{"item": item, "choice": choice}])


@app.command()
def export(
    review: str = Review,
    to: str = typer.Option("", metavar="FILE", help="A new file; else standard output."),
    labelled: bool = typer.Option(False, "--labelled", help="What was answered."),
) -> None:
    """Write what waits, for people to answer elsewhere; or what was answered, as pairs."""
    from pipelines.data.queues import REVIEWS
    from pipelines.data.reviewing import labels
    from pipelines.data.rows import read, written

    row = named("review", review, state(REVIEWS))
    if labelled:
        rows = list(labels(read(content(row["items"]["sha256"])), row["answers"]))
    else:
        rows = _waiting(row)
    if not rows:
        nothing = "nothing was answered yet" if labelled else "nothing waits there"
        raise NotFound(nothing, where=review, right="`ratchet review list` shows the queues")
    made = written(rows)
    if not to:
        show.answer({"review": review, "rows": rows}, made.decode().rstrip("\n"))
        return
    show.answer({"review": review, "written": written_to(Path(to), made), "count": len(rows)},
                f"wrote {to}, {len(rows):,} lines")  # fmt: skip


@app.command("import")
def import_labels(
    review: str = Review,
    file: str = typer.Argument(metavar="FILE", help="JSON lines with item and choice."),
) -> None:
    """Take in what people answered elsewhere."""
    from pipelines.data.importing import imported
    from pipelines.data.rows import Provenance

    origin = Provenance(source="review", method="people")
    with opened(file) as source:
        rows = [one.row for one in imported(source, "labels", file, origin)]
    _say(review, [{"item": row["item"], "choice": row["choice"]} for row in rows])


def _say(review: str, answers: list[dict[str, Any]]) -> None:
    from pipelines.data.queues import REVIEWS
    from pipelines.data.reviewing import within

    row = named("review", review, state(REVIEWS))
    if row["closed"]:
        raise Refused(CLOSED, where=review, right="`ratchet review list` shows the open ones")
    for one in answers:
        within(one["item"], row["count"])
    position = 0
    for start in range(0, len(answers), MOST):
        event = {"review": review, "answers": answers[start : start + MOST]}
        position = publishing.publish(show.home(), admitted("ReviewAnswered", event))["position"]
    open_ones = row["count"] - len({*row["answers"], *(str(one["item"]) for one in answers)})
    document = {
        "review": review, "answered": len(answers), "waiting": open_ones, "position": position,
    }  # fmt: skip
    show.answer(document, f"queue {review}: {len(answers):,} answered, {open_ones:,} wait")


def _waiting(row: dict[str, Any]) -> list[dict[str, Any]]:
    """What nobody has answered yet; nothing of a queue for which nothing waits."""
    if row["closed"]:
        return []
    from pipelines.data.reviewing import waiting
    from pipelines.data.rows import read

    return waiting(read(content(row["items"]["sha256"])), row["answers"])


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("review", "role", "count", "opened_at")}
    answered = len(row["answers"])
    status = "closed" if row["closed"] else "answered" if answered == row["count"] else "open"
    return {**kept, "answered": answered, "status": status, "run": row["run"]}


def _pair(row: dict[str, Any]) -> str:
    return f"{row['item']}: {row['prompt']}\n  a: {row['a']}\n  b: {row['b']}"
