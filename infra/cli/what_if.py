"""`ratchet what-if`: where another policy would have decided otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from agents.judge import Verdict
from agents.what_if import what_if
from infra.assemble import AGENTS
from infra.cli import show
from infra.cli.audit import verdict
from infra.cli.gist import gist
from infra.cli.policies import written

app = typer.Typer(add_completion=False, rich_markup_mode=None)

LIKEWISE = ("StageRequested", "DataRequested", "PartRequested", "DeadlineSet")
"""They follow from the decisions before them, which are told."""
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
    if answer.changed:
        lines.append("What would have followed from another answer, nobody can say.")
    if len(answer.changed) > SHOWN:
        lines.append(f"  ... and {len(answer.changed) - SHOWN:,} more, with --json")
    show.answer(document, "\n".join(lines))


def _line(one: Verdict) -> str:
    """One answer as it was, and as it would have been."""
    about = next((f", run {said['data']['run']}" for said in one.derived if _run(said)), "")
    lines = [f"  at {one.position}{about}"]
    was, then = (
        [_said(said) for said in side if said["type"] not in LIKEWISE]
        for side in (one.recorded, one.derived)
    )
    if was == then:  # only what follows from it is another: a deadline, say
        return "\n".join([*lines, *map("    {}".format, _apart(one))])
    for word, told in (("was", was), ("then", then)):
        lines += [
            f"    {word if not place else '':<5} {line}"
            for place, line in enumerate(told or ["nothing"])
        ]
    return "\n".join(lines)


def _apart(one: Verdict) -> list[str]:
    """The fields that would have been others."""
    return [
        f"{said['type']}: {name} {was['data'].get(name)} -> {value}"
        for was, said in zip(one.recorded, one.derived, strict=False)
        for name, value in said["data"].items()
        if value != was["data"].get(name)
    ]


def _said(one: Mapping[str, Any]) -> str:
    words = gist(one["data"])
    return f"{one['type']}: {words}" if words else str(one["type"])


def _run(one: Mapping[str, Any]) -> bool:
    return isinstance(one["data"].get("run"), str)
