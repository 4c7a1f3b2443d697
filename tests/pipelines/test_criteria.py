"""What success means at the end of a run, point by point, and whether its model is to be used."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.catalog import PIPELINES
from pipelines.criteria import CRITERIA, decision, points


def check(metric: str, verdict: str, value: float | None = 0.9) -> dict[str, Any]:
    return {
        "metric": metric, "side": "at_least", "bound": 0.5, "value": value, "low": value,
        "high": value, "n": 9, "verdict": verdict,
    }  # fmt: skip


def row(status: str, *checks: dict[str, Any], pipeline: str = "dpo", **more: Any) -> dict[str, Any]:
    """A run whose last gate has said so."""
    gate = {"verdict": "pass", "checks": list(checks), "remedies": []} if checks else None
    return {
        "run": "r", "pipeline": pipeline, "status": status, "reason": "",
        "candidate": {"kind": "p"},
        "stages": [{"name": "evaluate", "gate": gate, "metrics": {}}],
    } | more  # fmt: skip


def met(of: dict[str, Any]) -> list[str]:
    return [one.met for one in points(of)]


def test_every_pipeline_that_makes_a_model_says_what_success_is() -> None:
    assert set(CRITERIA) == set(PIPELINES) - {"rehearsal"}
    for name, criteria in CRITERIA.items():
        last = {one.metric for one in PIPELINES[name].walk[-1].gate}
        for one in criteria:
            looked_at = set(one.metrics) - {"people"}
            assert looked_at <= last, (name, one.says)


def test_a_model_that_holds_everywhere_is_deployed() -> None:
    good = row("completed", check("retention", "pass"), check("win_rate", "pass"))
    assert met(good) == ["yes", "yes", "yes", "not asked"]
    assert decision(good) == "Deploy: the candidate has passed all gates of its run."


def test_what_was_only_accepted_is_said_beside_the_decision() -> None:
    waived = check("people", "waived", None)
    one = row("completed", check("retention", "pass"), check("win_rate", "pass"), waived)
    assert met(one) == ["waived", "yes", "yes", "waived"]
    assert decision(one).endswith(
        "gates of its run. Not surely shown: people who compare prefer it."
    )


@pytest.mark.parametrize(
    ("verdict", "word"), [("fail", "no"), ("inconclusive", "unclear"), ("waived", "waived")]
)
def test_the_worst_of_its_figures_is_what_a_point_says(verdict: str, word: str) -> None:
    given_up = row("abandoned", check("retention", verdict), reason="no remedy is left")
    assert met(given_up)[1] == word
    assert decision(given_up) == "Do not deploy: the run was abandoned: no remedy is left."


def test_what_nobody_measured_or_came_to_is_not_met() -> None:
    assert met(row("completed", check("retention", "pass")))[2] == "not measured"
    assert set(met(row("abandoned"))) == {"not reached"}


def test_nothing_is_decided_before_the_end() -> None:
    assert decision(row("running")).startswith("Not decided")
    assert decision(row("completed", candidate=None)).startswith("Nothing to deploy")
