"""`ratchet what-if`: where another policy would have decided otherwise."""

from __future__ import annotations

from pathlib import Path

import typer

from agents.judge import Verdict
from agents.what_if import what_if
from infra.assemble import AGENTS
from infra.cli import show
from infra.cli.audit import verdict
from infra.cli.gist import gist
from infra.cli.policies import written

app = typer.Typer(add_completion=False, rich_markup_mode=None)

LIKEWISE = ("StageRequested", "DataRequested", "PartRequested")
"""Requests follow from the decisions before them, which are told."""
SHOWN = 50
"""Decisions that the text lists; --json has them all."""


@app.command("what-if")
def ask(
    policy: str = typer.Option(metavar="FILE", help="The other policy, as YAML or JSON."),
) -> None:
    """Ask, point by point on the recorded history, what another policy would have decided.

    It does not tell what would have happened afterwards: each question stands by itself.
    """
    other = written(Path(policy))
    answer = show.reading(lambda store: what_if(store, AGENTS, other, show.progress("what-if")))
    document = {
        "agent": answer.agent,
        "decisions": answer.decisions,
        "changed": [verdict(one) for one in answer.changed],
    }
    lines = [
        f"Of {answer.decisions:,} decisions of the {answer.agent}, {len(answer.changed):,} "
        "answers would have been others."
    ]
    lines += map(_line, answer.changed[:SHOWN])
    if len(answer.changed) > SHOWN:
        lines.append(f"  ... and {len(answer.changed) - SHOWN:,} more, with --json")
    show.answer(document, "\n".join(lines))


def _line(one: Verdict) -> str:
    was, then = (
        ", ".join(said["type"] for said in side) or "nothing"
        for side in (one.recorded, one.derived)
    )
    line = f"  {one.position:>8}  {was}  ->  {then}"
    words = [gist(said["data"]) for said in one.derived if said["type"] not in LIKEWISE]
    return "\n".join([line, *(f"            {word}" for word in words if word)])
