"""`ratchet rejected`: what was refused, what readers gave up, and to try it again."""

from __future__ import annotations

import time
from typing import Any

import typer

from events.errors import LogUnavailable
from infra import publishing
from infra.cli import show
from infra.client import NoAnswer, call
from infra.home import WAIT, Home, busy
from infra.rejected import GIVEN_UP, Entry, Rejected, said_again

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Id = typer.Argument(metavar="ID", help="Which, as `list` shows it.")
HEADINGS = ("id", "time", "kind", "type", "from or to", "why")
WIDE = 60


@app.callback()
def rejected() -> None:
    """Messages that were refused or given up; try them again."""


@app.command("list")
def list_rejected(
    every: bool = typer.Option(False, "--all", help="Also those that were tried again."),
    limit: int = typer.Option(100, min=1, help="At most so many, the newest."),
) -> None:
    """List what was refused, and what readers over NATS gave up."""
    found = [one for one in _kept().all() if every or "retried" not in one]
    rows = [{name: one[name] for name in one if name != "body"} for one in found[-limit:]]
    text = show.table(HEADINGS, [_cells(one) for one in rows]) if rows else "There is nothing."
    if len(found) > limit:
        text += f"\nThere are {len(found) - limit:,} older ones: --limit {len(found)}"
    show.answer({"rejected": rows, "older": max(0, len(found) - limit)}, text)


@app.command("show")
def show_rejected(id_: str = Id) -> None:
    """Show one of them, with all that was kept of it."""
    show.answer(_kept().one(id_))


@app.command()
def retry(id_: str = Id) -> None:
    """Publish a refused message again, or give a given-up one to its reader again."""
    home, kept = show.home(), _kept()
    one = kept.one(id_)
    if one["kind"] == GIVEN_UP:
        answer = _asked(home, one)
        show.answer(answer, _given(answer))
        return
    receipt = publishing.publish(home, said_again(one))
    kept.retried(one, receipt)
    text = f"{receipt['type']} at position {receipt['position']}, id {receipt['event_id']}"
    show.answer({"id": one["id"], "kind": one["kind"], **receipt}, text)


def _asked(home: Home, one: Entry) -> dict[str, Any]:
    """The running owner gives it: nobody else may speak for the log on NATS."""
    ends = time.monotonic() + WAIT
    while owner := home.owner():
        try:
            answer: dict[str, Any] = call(owner, "POST", f"/rejected/{one['id']}/retry")
        except NoAnswer:
            if time.monotonic() > ends:
                raise busy(home, WAIT) from None
            time.sleep(0.05)
        else:
            return answer
    raise LogUnavailable(
        f"no owner of this home runs, who could give it to {one['consumer']!r} again",
        where=str(home.folder),
        right="`ratchet up`, and then the same again",
    )


def _given(answer: dict[str, Any]) -> str:
    later = "" if answer["waits"] else ", which does not listen just now: it will have it then"
    return f"Position {answer['position']} is given to {answer['consumer']!r} again{later}."


def _cells(one: Entry) -> tuple[str, ...]:
    why = " ".join(str(one["reason"]["what"]).split())
    whom = one["consumer"] if one["kind"] == GIVEN_UP else one["actor"]
    kind = f"{one['kind']}, tried again" if "retried" in one else one["kind"]
    why = why if len(why) <= WIDE else f"{why[: WIDE - 1]}…"
    return one["id"], one["time"][:19], kind, one["type"], whom, why


def _kept() -> Rejected:
    return Rejected(show.home().folder)
