"""Gates judge figures by their intervals; remedies move settings; pipelines can be walked."""

from __future__ import annotations

import pytest

from events.catalog.gates import Verdict
from events.catalog.training import Measured
from pipelines.catalog import PIPELINES
from pipelines.gates import Check, at_least, at_most, judged, overall, symptoms, told
from pipelines.pipeline import BrokenPipeline, Pipeline, Stage
from pipelines.remedies import Remedy, chosen, plus, settled, times


def figure(low: float, high: float, n: int = 50) -> Measured:
    return Measured(value=(low + high) / 2, low=low, high=high, n=n)


@pytest.mark.parametrize(
    ("check", "low", "high", "verdict"),
    [
        (at_most("kl", 0.1), 0.05, 0.09, "pass"),
        (at_most("kl", 0.1), 0.05, 0.1, "pass"),
        (at_most("kl", 0.1), 0.08, 0.12, "inconclusive"),
        (at_most("kl", 0.1), 0.11, 0.12, "fail"),
        (at_least("kl", 0.1), 0.1, 0.12, "pass"),
        (at_least("kl", 0.1), 0.05, 0.11, "inconclusive"),
        (at_least("kl", 0.1), 0.05, 0.09, "fail"),
        (at_least("kl", 0.1, counted=True), 0.0, 0.3, "pass"),
        (at_most("kl", 0.1, counted=True), 0.0, 0.3, "fail"),
    ],
)
def test_a_figure_is_judged_by_its_interval(
    check: Check, low: float, high: float, verdict: Verdict
) -> None:
    (found,) = judged([check], {"kl": figure(low, high)})
    assert found.verdict == verdict
    assert overall([found]) == verdict


def test_what_was_not_measured_fails() -> None:
    missing, empty = judged(
        [at_least("gap", 0.15), at_most("kl", 0.1)], {"kl": figure(0.0, 0.0, n=0)}
    )
    assert (missing.verdict, missing.value, empty.verdict) == ("fail", None, "fail")
    assert symptoms([missing]) == ("gap missing",)
    assert told(missing) == "gap was not measured"


def test_a_figure_outside_of_its_own_interval_was_not_measured() -> None:
    """Whoever answers so, by a fault or on purpose, gets through no gate."""
    turned = Measured(value=0.05, low=0.2, high=0.01, n=50)
    beside = Measured(value=0.3, low=0.0, high=0.05, n=50)
    for one in (turned, beside):
        for check in (at_most("kl", 0.1), at_least("kl", 0.02), at_most("kl", 1.0, counted=True)):
            (found,) = judged([check], {"kl": one}, waived=["kl"])
            assert (found.verdict, found.value) == ("fail", None)


def test_a_waiver_takes_the_figure_as_it_is_and_never_a_failure() -> None:
    checks = [at_most("kl", 0.1)]
    (unclear,) = judged(checks, {"kl": figure(0.05, 0.12)}, waived=["kl"])
    (beyond,) = judged(checks, {"kl": figure(0.09, 0.15)}, waived=["kl"])
    (failed,) = judged(checks, {"kl": figure(0.2, 0.3)}, waived=["kl"])
    assert [one.verdict for one in (unclear, beyond, failed)] == ["waived", "inconclusive", "fail"]


def test_bounds_of_a_policy_take_the_place_of_a_gates_own_by_side() -> None:
    checks = [at_least("entropy", 0.5), at_most("entropy", 2.0)]
    found = judged(checks, {"entropy": figure(0.2, 0.3)}, {"entropy at_least": 0.1})
    assert [one.bound for one in found] == [0.1, 2.0]
    assert overall(found) == "pass"
    assert [one.bound for one in judged(checks, {}, {"entropy": 1.0})] == [1.0, 1.0]


def test_the_worst_check_decides() -> None:
    measured = {"kl": figure(0.2, 0.3), "gap": figure(0.1, 0.2)}
    found = judged([at_most("kl", 0.1), at_least("gap", 0.15)], measured)
    assert overall(found) == "fail"
    assert symptoms(found) == ("kl above", "gap unclear")


SMALLER = Remedy("smaller", ("kl above",), (times("a", "rate", 0.5),), most=1)
MORE = Remedy("more", ("* unclear",), (times("a", "items", 2.0),))


def test_what_surely_fails_is_mended_before_what_is_unclear() -> None:
    assert chosen([MORE, SMALLER], ["gap unclear", "kl above"], {}) == (SMALLER, "kl above")
    assert chosen([MORE, SMALLER], ["gap unclear"], {}) == (MORE, "gap unclear")
    assert chosen([MORE, SMALLER], ["gap unclear", "kl above"], {"smaller": 1}) is None
    assert chosen([MORE, SMALLER], ["gap missing"], {}) is None


def test_changes_add_up_in_their_order() -> None:
    changes = [times("a", "rate", 0.5), plus("a", "seed", 1), times("b", "rate", 9.0)]
    changes += [times("a", "rate", 0.5)]
    assert settled(changes, "a", {"rate": 0.4}) == {"rate": pytest.approx(0.1), "seed": 1}
    assert settled(changes, "c", {}) == {}


@pytest.mark.parametrize(
    ("walk", "said"),
    [
        ((), "at least one stage"),
        ((Stage("a", "."), Stage("a", ".")), "bear one name"),
        ((Stage("a", ".", (), (Remedy("r", ("x above",), back_to="b"),)), Stage("b", ".")),
         "does not lie before"),
        ((Stage("a", ".", (), (Remedy("r", ("x above",), (times("z", "q", 2),)),)),), "is none"),
    ],
)  # fmt: skip
def test_a_pipeline_that_cannot_be_walked_is_none(walk: tuple[Stage, ...], said: str) -> None:
    with pytest.raises(BrokenPipeline, match=said):
        Pipeline("p", "It does something.", walk)


def test_the_three_that_ship_have_the_stages_of_the_mission() -> None:
    assert PIPELINES["srl_rlvr"].stages == ("data", "baseline", "srl", "rlvr", "verify")
    for name in ("dpo", "srf"):
        pipeline = PIPELINES[name]
        assert len(pipeline.stages) == 7
        assert pipeline.planned
        bounds = {
            (stage.name, check.metric, check.side): check.bound
            for stage in pipeline.walk
            for check in stage.gate
        }
        assert bounds["pairs", "gap", "at_least"] == 0.15
        assert bounds["pairs", "pairs", "at_least"] == 1000
        assert bounds["pairs", "decontamination", "at_least"] == 0.9
        assert bounds["optimise", "kl", "at_most"] == 0.1
        assert bounds["evaluate", "retention", "at_least"] == 0.95
    srf = {(c.metric, c.side): c.bound for c in PIPELINES["srf"].stage("optimise").gate}
    assert (srf["entropy", "at_least"], srf["entropy", "at_most"]) == (0.5, 2.0)
