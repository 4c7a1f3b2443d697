"""Whoever reads a verdict later can learn what was measured."""

from __future__ import annotations

from pipelines.catalog import PIPELINES
from pipelines.meanings import explained, meaning


def test_every_figure_that_a_gate_judges_is_explained() -> None:
    stages = [stage for one in PIPELINES.values() for stage in one.walk]
    judged = {check.metric for stage in stages for check in stage.gate} | {"people"}
    assert not [metric for metric in sorted(judged) if len(meaning(metric)) < 15]


def test_a_capability_is_explained_by_its_kind_and_a_figure_of_a_role_by_nothing() -> None:
    assert meaning("capability.addition") == "the score in this area (addition)"
    assert meaning("f1") == meaning("f1.macro") == ""
    assert list(explained(["kl", "f1", "gap", "kl"])) == ["kl", "gap"]
