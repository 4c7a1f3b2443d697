"""Whether the models of a role fall below what the role asks, one small step after the other.

Each candidate may keep nearly all of the model before it, and the tenth keeps half of the first. So
what the newest one earns on fresh problems is watched over all looks and all candidates together,
beside the accuracy that the role asks for. While that is kept, a false alarm comes once in so many
looks on average, however long the role lives.
"""

from __future__ import annotations

from collections import Counter

from agents.verifier.suites import FRESH
from events.catalog.examinations import SuiteMeasured
from events.catalog.gates import Checked
from events.catalog.roles import RoleProfile
from events.catalog.training import Measured
from events.catalog.verification import ModelVerified, RegressionDetected
from pipelines.evidence.decline import Watch, together
from pipelines.gates import told as said

PATIENCE = 1000.0
"""Looks between false alarms: a look a week, and one in twenty years."""
ACCURACY = "accuracy"


def asked_of(profile: RoleProfile) -> float | None:
    """The score that its models have to reach, where the role says so."""
    wanted = profile.requirements.ranges().get(ACCURACY)
    least = None if wanted is None else wanted.min
    return least if least is not None and 0 < least < 1 else None


def watched(watch: Watch | None, least: float | None, seen: ModelVerified) -> Watch | None:
    """With one more look."""
    if least is None:
        return None
    watch = watch if watch is not None and watch.mean == least else Watch(least)
    scores = Counter[float]()
    for cell in (cell for one in _fresh(seen) for cell in one.cells):
        scores[cell.after] += cell.n
    return together(watch, scores) if scores else watch


def fallen(watch: Watch | None, seen: ModelVerified) -> RegressionDetected | None:
    """Said when it is time to ring."""
    score = next((one.score for one in _fresh(seen)), None)
    if watch is None or score is None or not watch.alarmed(PATIENCE):
        return None
    check = _beside(watch.mean, score)
    what = f"what the role asks is no longer kept, over {watch.seen:,} fresh problems"
    return RegressionDetected(
        role=seen.role, run=seen.run, model=seen.model, verification=seen.verification,
        since=True, checks=(check,), evidence=watch.suspicion, reason=f"{what}: {said(check)}",
    )  # fmt: skip


def rang(event: RegressionDetected) -> bool:
    """Whether it was this alarm: what is watched begins anew behind it."""
    return any(one.metric == ACCURACY for one in event.checks)


def _beside(least: float, score: Measured) -> Checked:
    return Checked(
        metric=ACCURACY, side="at_least", bound=least, value=score.value, low=score.low,
        high=score.high, n=score.n, verdict="fail",
    )  # fmt: skip


def _fresh(seen: ModelVerified) -> list[SuiteMeasured]:
    return [one for one in seen.suites if one.suite == FRESH and one.compared == "baseline"]
