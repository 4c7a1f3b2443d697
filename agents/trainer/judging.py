"""What the gate of a stage looks at: its own checks, the policy's bounds, and what a role needs."""

from __future__ import annotations

from collections.abc import Mapping

from agents.trainer.run import Run
from agents.trainer.state import State
from events.catalog.gates import Checked
from events.catalog.training import Measured
from pipelines.catalog import PIPELINES
from pipelines.gates import Check, at_least, at_most, judged
from pipelines.summary import OUTCOMES

WORSE = {"improvement": 0.0, "gain": 0.0, "retention": 0.95}
"""Figures of the last stage that compare with the baseline: below, it is surely worse."""


def examined(state: State, run: Run) -> tuple[Checked, ...]:
    """All but what people say."""
    stage = PIPELINES[run.pipeline].stage(run.stage)
    bounds = {**_band(state, run), **state.policy.bounds}
    checks = judged(stage.gate, run.metrics, bounds, state.policy.waived)
    if PIPELINES[run.pipeline].following(run.stage) is not None or not stage.gate:
        return checks
    return (*checks, *_needed(state, run))


def worse(run: Run) -> tuple[Checked, ...]:
    """Where the last stage shows a model that is surely worse than its baseline."""
    pipeline = PIPELINES[run.pipeline]
    if pipeline.smaller or pipeline.following(run.stage) is not None:
        return ()
    found = []
    for metric, bound in WORSE.items():
        (one,) = judged((at_least(metric, bound),), run.metrics)
        if one.verdict == "fail" and one.value is not None:
            found.append(one)
    return tuple(found)


def _needed(state: State, run: Run) -> tuple[Checked, ...]:
    """What the role asks of its models, where this pipeline measures it.

    What nobody measures is not held against the model, and not passed over either: it stands in
    the gate as waived, without a figure.
    """
    role = state.roles.get(run.role)
    found: list[Checked] = []
    for metric, wanted in {} if role is None else role.requirements.ranges().items():
        name = _measured(metric, run.metrics)
        sides: list[Check] = []
        if wanted.min is not None:
            sides.append(at_least(name or metric, wanted.min))
        if wanted.max is not None:
            sides.append(at_most(name or metric, wanted.max))
        checks = judged(sides, run.metrics, None, state.policy.waived)
        if not name:
            checks = tuple(one.model_copy(update={"verdict": "waived"}) for one in checks)
        found += checks
    return tuple(found)


def _measured(metric: str, metrics: Mapping[str, Measured]) -> str:
    """What the metric is called among those that were measured, or nothing.

    A role's accuracy is that of its answers; of preferences it is a reward model that has one.
    """
    names = OUTCOMES if metric == "accuracy" else (metric,)
    return next((one for one in names if one in metrics), "")


def _band(state: State, run: Run) -> dict[str, float]:
    """The bounds that the role itself sets."""
    role = state.roles.get(run.role)
    if role is None or role.entropy is None:
        return {}
    return {
        "entropy at_least": role.entropy.min,
        "entropy at_most": role.entropy.max,
        "entropy_relative": role.entropy.relative_min,
    }
