"""Every decision and every failure that is known of the three ways of training has its remedy.

The rows are those of the workflows' decision trees, of their tables of failures, and of what is
known to go wrong with SRL and RLVR; each is looked for in the pipelines as they are declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from events.catalog.changes import Change
from pipelines.catalog import PIPELINES
from pipelines.gates import Check
from pipelines.pipeline import Stage
from pipelines.remedies import chosen

UP, DOWN = "more", "less"


class Row(NamedTuple):
    """Something that goes wrong, and what is done about it."""

    pipeline: str
    stage: str
    what: str
    symptom: str
    moves: Mapping[str, str] = {}
    """Settings, as `stage setting`, and whether there is more of them afterwards or less."""
    back_to: str = ""
    skips: bool = False


DPO = (
    Row("dpo", "prepare", "weak baseline", "score below", {"prepare steps": UP}),
    Row(
        "dpo", "pairs", "low preference gap", "gap below",
        {"pairs temperature": UP, "pairs samples": UP},
    ),
    Row("dpo", "pairs", "insufficient data", "pairs below", {"pairs prompts": UP}),
    Row("dpo", "pairs", "what evaluations ask is in it", "decontamination below",
        {"pairs seed": UP}),
    Row("dpo", "model_preferences", "poor reward accuracy", "accuracy below",
        {"pairs prompts": UP}, "pairs"),
    Row("dpo", "model_preferences", "reward overfitting", "overfit above",
        {"model_preferences epochs": DOWN}),
    Row("dpo", "optimise", "high KL divergence", "kl above",
        {"optimise learning_rate": DOWN, "optimise beta": UP}),
    Row("dpo", "optimise", "the preference gap was not kept", "gap below"),
    Row("dpo", "iterate", "a round goes too far", "kl above", {"iterate learning_rate": DOWN}),
    Row("dpo", "evaluate", "capability regression", "retention below",
        {"optimise learning_rate": DOWN, "optimise beta": UP}, "optimise"),
    Row("dpo", "evaluate", "no alignment improvement", "win_rate below", {"pairs seed": UP},
        "pairs"),
    Row("dpo", "evaluate", "evaluation items leaked", "clean below", {}, "pairs"),
    Row("dpo", "evaluate", "people prefer the old one", "people below", {}, "pairs"),
)  # fmt: skip
SRF = (
    Row("srf", "prepare", "weak baseline", "score below", {"prepare steps": UP}),
    Row("srf", "pairs", "low preference gap", "gap below", {"pairs temperature": UP}),
    Row("srf", "pairs", "insufficient data", "pairs below", {"pairs prompts": UP}),
    Row("srf", "train_reward", "poor reward accuracy", "accuracy below", {"pairs prompts": UP},
        "pairs"),
    Row("srf", "validate_reward", "reward overfitting", "overfit above",
        {"train_reward epochs": DOWN}, "train_reward"),
    Row("srf", "validate_reward", "inconsistent rewards", "consistency below",
        {"pairs prompts": UP}, "pairs"),
    Row("srf", "validate_reward", "length instead of worth", "length_sway above",
        {"train_reward epochs": UP}, "train_reward"),
    Row("srf", "optimise", "high KL divergence", "kl above",
        {"optimise learning_rate": DOWN, "optimise beta": UP}),
    Row("srf", "optimise", "entropy collapse", "entropy below",
        {"optimise reward_scale": DOWN, "optimise entropy_coef": UP}),
    Row("srf", "optimise", "too much entropy", "entropy above",
        {"optimise reward_scale": UP, "optimise entropy_coef": DOWN}),
    Row("srf", "optimise", "the reward does not grow", "reward_gain below",
        {"optimise steps": UP}),
    Row("srf", "evaluate", "capability regression", "retention below",
        {"optimise learning_rate": DOWN}, "optimise"),
    Row("srf", "evaluate", "alignment not improved", "win_rate below", {}, "pairs"),
    Row("srf", "evaluate", "the reward model was not kept", "accuracy below", {}, "pairs"),
)  # fmt: skip
TROUBLES = (
    Row("srl_rlvr", "srl", "training instability", "failed unstable",
        {"srl learning_rate": DOWN, "srl beta": UP}),
    Row("srl_rlvr", "rlvr", "training instability", "failed unstable",
        {"rlvr learning_rate": DOWN, "rlvr beta": UP}),
    Row("srl_rlvr", "srl", "too far from before", "kl above", {"srl beta": UP}),
    Row("srl_rlvr", "rlvr", "entropy collapse", "entropy_relative below",
        {"rlvr learning_rate": DOWN}),
    Row("srl_rlvr", "data", "poor examples", "quality below", {"data seed": UP}),
    Row("srl_rlvr", "srl", "poor performance after training", "gain below",
        {"data seed": UP, "data rows": UP}, "data"),
    Row("srl_rlvr", "rlvr", "poor performance after training", "gain below",
        {"rlvr learning_rate": DOWN}),
    Row("srl_rlvr", "verify", "worse than the baseline", "improvement below",
        {"srl learning_rate": DOWN}, "srl"),
    Row("srl_rlvr", "verify", "worse than the baseline", "retention below",
        {"srl learning_rate": DOWN}, "srl"),
    Row("srl_rlvr", "rlvr", "the base is not ready for outcomes", "failed not_ready",
        {"srl steps": UP}, "srl"),
    *(
        Row(pipeline, stage, "slow training", "failed out_of_time", {f"{stage} batch": DOWN})
        for pipeline, stage in (
            ("srl_rlvr", "srl"), ("srl_rlvr", "rlvr"), ("dpo", "prepare"), ("dpo", "optimise"),
            ("srf", "train_reward"), ("srf", "optimise"),
        )
    ),
    *(
        Row(pipeline, stage, "memory issues", "failed no_memory",
            {f"{stage} gradient_checkpointing": UP, f"{stage} lora": UP})
        for pipeline, stage in (
            ("srl_rlvr", "srl"), ("srl_rlvr", "rlvr"), ("dpo", "prepare"),
            ("dpo", "model_preferences"), ("dpo", "optimise"), ("srf", "optimise"),
        )
    ),
    Row("dpo", "iterate", "memory issues", "failed no_memory", skips=True),
)  # fmt: skip

ASKED: dict[tuple[str, str], tuple[tuple[str, str, float | None], ...]] = {
    ("dpo", "prepare"): (("score", "at_least", 0.2),),
    ("dpo", "pairs"): (
        ("gap", "at_least", 0.15), ("pairs", "at_least", 1000),
        ("decontamination", "at_least", 0.9),
    ),
    ("dpo", "model_preferences"): (("accuracy", "at_least", 0.7),),
    ("dpo", "optimise"): (("kl", "at_most", 0.1), ("gap", "at_least", 0.15)),
    ("dpo", "evaluate"): (
        ("retention", "at_least", 0.95), ("win_rate", "at_least", 0.5), ("kl", "at_most", 0.1),
        ("gap", "at_least", 0.15),
    ),
    ("srf", "prepare"): (("score", "at_least", 0.2),),
    ("srf", "pairs"): (
        ("gap", "at_least", 0.15), ("pairs", "at_least", 1000),
        ("decontamination", "at_least", 0.9),
    ),
    ("srf", "train_reward"): (("accuracy", "at_least", 0.7),),
    ("srf", "validate_reward"): (("overfit", "at_most", 0.1), ("consistency", "at_least", None)),
    ("srf", "optimise"): (
        ("kl", "at_most", 0.1), ("entropy", "at_least", 0.5), ("entropy", "at_most", 2.0),
        ("reward_gain", "at_least", 0.0),
    ),
    ("srf", "evaluate"): (
        ("retention", "at_least", 0.95), ("win_rate", "at_least", 0.5), ("kl", "at_most", 0.1),
        ("accuracy", "at_least", 0.7),
    ),
    ("srl_rlvr", "data"): (("quality", "at_least", 0.95),),
    ("srl_rlvr", "srl"): (("kl", "at_most", 0.1),),
    ("srl_rlvr", "rlvr"): (("kl", "at_most", 0.1),),
    ("srl_rlvr", "verify"): (("improvement", "at_least", 0.0), ("retention", "at_least", 0.95)),
}  # fmt: skip
"""The questions of the decision trees, and the thresholds that go with them, where there are."""


def stage(pipeline: str, name: str) -> Stage:
    return PIPELINES[pipeline].stage(name)


def moved(changes: tuple[Change, ...]) -> dict[str, str]:
    found = {}
    for one in changes:
        more = one.by > (1 if one.how == "times" else 0)
        found[f"{one.stage} {one.setting}"] = UP if more else DOWN
    return found


@pytest.mark.parametrize(
    "row", [*DPO, *SRF, *TROUBLES], ids=lambda row: f"{row.pipeline} {row.stage}: {row.what}"
)
def test_what_goes_wrong_has_its_remedy(row: Row) -> None:
    found = chosen(stage(row.pipeline, row.stage).remedies, (row.symptom,), {})
    assert found is not None
    remedy, _ = found
    assert row.moves.items() <= moved(remedy.changes).items()
    assert remedy.skips == row.skips
    if row.back_to:
        assert remedy.back_to == row.back_to


@pytest.mark.parametrize("where", ASKED, ids=" ".join)
def test_every_question_of_the_trees_is_asked_with_its_threshold(where: tuple[str, str]) -> None:
    gate = stage(*where).gate
    asked = {(check.metric, str(check.side)): check.bound for check in gate}
    for metric, side, bound in ASKED[where]:
        assert (metric, side) in asked
        assert bound is None or asked[metric, side] == bound


@pytest.mark.parametrize("pipeline", ["dpo", "srf"])
def test_iterations_go_on_while_they_help_and_people_look_at_the_end(pipeline: str) -> None:
    assert stage(pipeline, "iterate").trend == "gain"
    assert stage(pipeline, "evaluate").people
    assert stage(pipeline, "evaluate").made_of == "best"
    assert len(PIPELINES[pipeline].walk) == 7


@pytest.mark.parametrize("pipeline", [name for name in PIPELINES if name != "rehearsal"])
def test_what_a_gate_is_unsure_about_is_measured_again(pipeline: str) -> None:
    for one in PIPELINES[pipeline].walk:
        unsure = [check for check in one.gate if not check.counted and _judges(check)]
        for check in unsure:
            assert chosen(one.remedies, (f"{check.metric} unclear",), {}), (one.name, check)


FIXED = {
    ("dpo", "optimise"): ("gap", "preference_accuracy"),
    ("dpo", "evaluate"): ("gap", "people"),
    ("srf", "evaluate"): ("accuracy", "people"),
}
"""Figures of pairs that were held back, or of people: no further problem tells more of them."""


@pytest.mark.parametrize("where", FIXED, ids=" ".join)
def test_more_problems_are_not_asked_for_what_they_tell_nothing_of(where: tuple[str, str]) -> None:
    """Also not where all that would help is used up, or a given data set takes it away."""
    for metric in FIXED[where]:
        used: dict[str, int] = {}
        while found := chosen(stage(*where).remedies, (f"{metric} unclear",), used):
            remedy, _ = found
            assert f"{where[1]} items" not in moved(remedy.changes), (metric, remedy.name)
            used[remedy.name] = used.get(remedy.name, 0) + 1
        assert used
        given = [one for one in stage(*where).remedies if one.back_to != "pairs"]
        last = chosen(given, (f"{metric} unclear",), {})
        assert last is None or last[0].name != "more_items"


def _judges(check: Check) -> bool:
    """Whether its interval may lie on both sides of the bound: not of what cannot be below 0."""
    return (check.metric, check.bound) not in (("sampled", 0.0), ("kl", 1e-4))
