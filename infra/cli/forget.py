"""`ratchet forget`: what is personal about somebody becomes unreadable, here and for ever."""

from __future__ import annotations

import sys

import typer

from events.errors import Malformed
from events.ingress import OPERATOR, admitted
from events.store import EventStore
from infra import publishing
from infra.cli import show

app = typer.Typer(add_completion=False, rich_markup_mode=None)

STEP = 1000


@app.command()
def forget(
    subject: str = typer.Argument(metavar="SUBJECT", help="Whom; - to read it from a pipe."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask first."),
) -> None:
    """Make all that is personal about somebody unreadable.

    What they said stays in the history as tokens that no key opens any more; no decision changes.
    """
    piped = subject == "-"
    name = sys.stdin.readline().rstrip("\r\n") if piped else subject
    one = admitted("SubjectForgotten", {"subject": name}, may=OPERATOR)
    if sys.stdin.isatty() and not (yes or piped):
        _ask()
    answer = publishing.publish(show.home(), one)
    answer["events"] = show.reading(lambda store: _counted(store, answer["position"]))
    show.answer(answer, _said(answer["events"], answer["position"]))


def _ask() -> None:
    """Once it is done nobody can take it back."""
    words = "Nobody will ever read again what is personal about them. Forget them? [y/N] "
    print(words, end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Malformed("nobody was forgotten", where="forget", right="y, or --yes")


async def _counted(store: EventStore, position: int) -> int:
    """How many earlier events were sealed under the key that is gone."""
    (forgotten,) = await store.read(position - 1, position, 1)
    assert forgotten.key_id is not None
    many, after = 0, 0
    while some := await store.sealed_under(forgotten.key_id, after, STEP):
        many, after = many + len(some), some[-1].position
    return many - 1


def _said(events: int, position: int) -> str:
    if not events:
        return f"Nothing personal was known of them; recorded at position {position}."
    what = "1 event" if events == 1 else f"{events:,} events"
    return f"Forgotten: what is personal in {what} is unreadable from position {position} on."
