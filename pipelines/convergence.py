"""Whether further rounds still pay: what each won, how that develops, what is left to be won."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pipelines.data.report import Report, Table

Rounds = Sequence[Mapping[str, Any]]
"""What is kept of each round: `gain` with its `low` and `high`, `score`, `kl`, `weak`, `pairs`."""


class Convergence(NamedTuple):
    """What the rounds so far say together."""

    state: str
    """growing, converged or declining: by the interval of the last round."""
    fading: float | None
    """What a round won beside the one before it; None where there is nothing to compare."""
    left: float | None
    """What is still to be won if it goes on fading like that; None where it does not fade."""


def convergence(rounds: Rounds) -> Convergence:
    """Of rounds in their order."""
    last = rounds[-1]
    state = "growing" if last["low"] > 0 else "declining" if last["high"] < 0 else "converged"
    if len(rounds) < 2 or rounds[-2]["gain"] <= 0:
        return Convergence(state, None, None)
    fading = last["gain"] / rounds[-2]["gain"]
    left = last["gain"] * fading / (1 - fading) if 0 < fading < 1 else None
    return Convergence(state, fading, left)


def report(title: str, rounds: Rounds) -> Report:
    """Round by round."""
    found = convergence(rounds)
    lines = [f"After round {len(rounds)}: {found.state}."]
    if found.fading is not None:
        lines.append(f"The last round won {found.fading:.2f} times what the one before it won.")
    if found.left is not None:
        lines.append(f"Fading like that, {found.left:.3f} is left to be won.")
    rows = [
        (
            number,
            one["score"],
            f"{one['gain']:+.3f} ({one['low']:+.3f} to {one['high']:+.3f})",
            f"{one['weak_gain']:+.3f}",
            ", ".join(one["weak"]) or "none",
            one["pairs"],
            one["kl"],
        )
        for number, one in enumerate(rounds, 1)
    ]
    headings = ("round", "score", "won", "won where weak", "weak areas", "new pairs", "kl")
    return Report(title, tuple(lines), (), tables=(Table("Rounds", headings, rows),))
