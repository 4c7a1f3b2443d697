"""What success means at the end of a run, point by point, and whether its model is to be used.

Each point looks at figures that the last gate has judged; what nobody measured is not met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

Met = Literal["yes", "waived", "unclear", "no", "not asked", "not measured", "not reached"]


class Criterion(NamedTuple):
    """One point."""

    says: str
    metrics: tuple[str, ...] = ()
    """Of the last gate; none named, all gates of the run."""
    optional: bool = False
    """Left out where the policy does not ask for it."""
    bound: float | None = None
    """For a figure that no gate judges: at least this much of it has to be sure."""


class Point(NamedTuple):
    """A criterion and what became of it."""

    says: str
    met: Met
    found: str


ALL = Criterion("All quality thresholds are met")
KEPT = Criterion("No capability is lost (at least 95 % of it is kept)", ("retention",))
BETTER = Criterion("Aligned better than the baseline", ("win_rate",))
PEOPLE = Criterion("People who compare prefer it", ("people",), optional=True)
INTERPRETABLE = Criterion("The reward model rewards what the goal rewards", ("aligned",), bound=0.5)

CRITERIA: dict[str, tuple[Criterion, ...]] = {
    "srl_rlvr": (ALL, Criterion("Right more often than the baseline", ("improvement",)), KEPT),
    "dpo": (ALL, KEPT, BETTER, PEOPLE),
    "srf": (ALL, KEPT, BETTER, INTERPRETABLE, PEOPLE),
    "distill": (
        ALL,
        Criterion("It keeps at least 95 % of what the teacher can do", ("retention",)),
        Criterion("It became better than it was", ("improvement",)),
        Criterion("It is smaller than the teacher", ("share",)),
    ),
}


SEEN = {
    "holds": " The verifier found since that it holds what the model before it could.",
    "worse": " The verifier found since that it is worse than the model before it.",
    "unclear": " The verifier is not sure since whether it is as good as the model before it.",
    "measured": " The verifier has measured it since; there was nothing to compare it with.",
}
"""What its verification says of a candidate, behind its run."""


def points(row: Mapping[str, Any]) -> tuple[Point, ...]:
    """Those of a run's pipeline."""
    return tuple(_point(one, row) for one in CRITERIA.get(row["pipeline"], ()))


def decision(row: Mapping[str, Any]) -> str:
    """Whether the model of a run is to be used, in a sentence."""
    since = row.get("since") or {}
    if since.get("withdrawn"):
        return (
            "Do not deploy: the candidate passed all gates of its run, and was withdrawn"
            f" afterwards: {since['withdrawn']}."
        )
    if row["status"] == "completed" and row["candidate"]:
        open_ones = [
            one.says.lower()
            for one in points(row)
            if one.met not in ("yes", "not asked") and one.says != ALL.says
        ]
        but = f" Not surely shown: {'; '.join(open_ones)}." if open_ones else ""
        seen = SEEN.get(since.get("verdict", ""), "")
        return f"Deploy: the candidate has passed all gates of its run.{but}{seen}"
    if row["status"] in ("running", "paused"):
        return "Not decided: the run has not ended."
    if row["status"] == "completed":
        return "Nothing to deploy: the run made no model."
    why = f": {row['reason']}" if row["reason"] else ""
    return f"Do not deploy: the run was {row['status']}{why}."


def _point(one: Criterion, row: Mapping[str, Any]) -> Point:
    last = row["stages"][-1]
    checks = (last["gate"] or {}).get("checks", ())
    if not one.metrics:
        every = [
            check for stage in row["stages"] for check in (stage["gate"] or {}).get("checks", ())
        ]
        return Point(one.says, _all(row, every), f"{len(every)} figures were judged")
    found = [check for check in checks if check["metric"] in one.metrics]
    if found:
        return Point(one.says, _worst(found), "; ".join(map(shown, found)))
    measured = next(
        (last["metrics"][name] for name in one.metrics if name in last["metrics"]), None
    )
    if measured is not None and one.bound is not None:
        met: Met = "yes" if measured["low"] >= one.bound else "unclear"
        met = "no" if measured["high"] < one.bound else met
        return Point(one.says, met, figure(measured))
    if last["gate"] is None:
        return Point(one.says, "not reached", "")
    return Point(one.says, "not asked" if one.optional else "not measured", "")


def _all(row: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]) -> Met:
    worst = _worst(checks)
    if worst in ("yes", "waived") and row["status"] != "completed":
        return "not reached"
    return worst


def _worst(checks: Sequence[Mapping[str, Any]]) -> Met:
    verdicts = {check["verdict"] for check in checks}
    order: tuple[tuple[str, Met], ...] = (
        ("fail", "no"), ("inconclusive", "unclear"), ("waived", "waived"),
    )  # fmt: skip
    return next((met for verdict, met in order if verdict in verdicts), "yes")


def shown(check: Mapping[str, Any]) -> str:
    """A check with its interval: `kl 0.05 (0.04 to 0.06), at most 0.1`."""
    side = "at least" if check["side"] == "at_least" else "at most"
    found = "not measured" if check["value"] is None else figure(check)
    return f"{check['metric']} {found}, {side} {check['bound']:g}"


def number(value: float) -> str:
    """In three digits, and large ones whole."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def figure(one: Mapping[str, Any]) -> str:
    """A figure with its interval, where it has one."""
    if one["low"] == one["high"]:
        return number(one["value"])
    return f"{number(one['value'])} ({number(one['low'])} to {number(one['high'])})"
