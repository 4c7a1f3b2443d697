"""Through TRL: what we rely on is there, and what a job asks for reaches it or is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, make_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from events.catalog.jobs import JobSpec, Limits, Recipe, Resources
from tests.trainers.additions import TYPE
from trainers.engine import Completion
from trainers.failures import Usage
from trainers.groups import Task
from trainers.recipes import settings_of
from trainers.through import check_way
from trainers.trl.adapter import check
from trainers.trl.contract import CALLED, FIELDS, LOGGED, PARAMETERS, SAMPLED, broken, look, silent
from trainers.trl.fields import UNWEIGHED, fields_of
from trainers.trl.scored import Batch, names_of


def asking(trainer: str, limits: Limits | None = None, **settings: Any) -> tuple[JobSpec, Any]:
    """A spec and its settings, through TRL."""
    recipe = Recipe(trainer=trainer, profile="tiny", settings={"through": "trl", **settings})
    spec = JobSpec(
        job="one", base="org/base", model_type=TYPE.name, recipe=recipe, seed=7,
        limits=limits or Limits(),
    )  # fmt: skip
    return spec, settings_of(recipe)


def refusal(trainer: str, **settings: Any) -> str:
    with pytest.raises(Usage) as refused:
        check(*asking(trainer, **settings))
    return str(refused.value)


def without(name: str, member: str) -> Callable[[str], Any]:
    """TRL with one field or parameter less."""

    def looked(wanted: str) -> Any:
        found = look(wanted)
        if wanted != name:
            return found
        if name in FIELDS:
            kept = [(one.name, one.type, one) for one in fields(found) if one.name != member]
            return make_dataclass(name, kept, kw_only=True)
        if name in PARAMETERS:
            return _nothing
        return type(name, (), {one: None for one in CALLED[name] if one != member})

    return looked


def _nothing() -> None:
    """A trainer that takes nothing any more."""


def test_all_that_we_rely_on_of_trl_is_there() -> None:
    assert broken() == []


@pytest.mark.parametrize(
    ("name", "member", "said"),
    [
        ("GRPOConfig", "beta", "GRPOConfig has no field 'beta'"),
        ("DPOConfig", "label_smoothing", "DPOConfig has no field 'label_smoothing'"),
        ("SFTConfig", "bf16", "SFTConfig has no field 'bf16'"),
        ("RLOOConfig", "num_generations", "RLOOConfig has no field 'num_generations'"),
        ("RewardConfig", "max_length", "RewardConfig has no field 'max_length'"),
        ("GRPOTrainer", "reward_funcs", "GRPOTrainer has no parameter 'reward_funcs'"),
        ("TrainerCallback", "on_save", "TrainerCallback has no member 'on_save'"),
    ],
)
def test_whatever_of_it_goes_is_told_by_its_name(name: str, member: str, said: str) -> None:
    assert said in broken(without(name, member))


def test_a_name_that_is_gone_is_told() -> None:
    def looked(name: str) -> Any:
        return look("PPOTrainer" if name == "GRPOTrainer" else name)  # gone since 1.13

    assert broken(looked) == ["GRPOTrainer is gone"]


@pytest.mark.parametrize("trainer", LOGGED)
def test_a_number_that_is_no_longer_logged_is_missed(trainer: str) -> None:
    logs = dict.fromkeys((*LOGGED[trainer], *SAMPLED), 0.5)
    assert silent(trainer, logs, kl=False, samples=True) == []
    assert silent(trainer, logs, kl=True, samples=True) == ["kl"]
    for name in logs:
        less = {other: 0.5 for other in logs if other != name}
        assert silent(trainer, less, kl=False, samples=True) == [name]


def test_a_misspelt_field_of_trl_is_told_with_the_one_that_was_meant() -> None:
    assert refusal("grpo", trl={"top_entropy_quantil": 0.2}) == (
        "GRPOConfig has no field 'top_entropy_quantil' "
        "(recipe.settings.trl.top_entropy_quantil): did you mean 'top_entropy_quantile'?"
    )
    assert "DPOConfig has no field 'num_generations'" in refusal("dpo", trl={"num_generations": 4})


@pytest.mark.parametrize(
    ("trainer", "settings", "said"),
    [
        ("grpo", {"trl": {"vllm_gpu_memory_utilization": "much"}}, "no value of 'vllm_gpu"),
        ("sft", {"trl": {"seed": 3}}, "'seed' is the job's own business"),
        ("grpo", {"trl": {"lr_scheduler_type": "soon"}}, "TRL refuses: soon is not a valid"),
        ("grpo", {"use_vllm": True}, "vLLM is not installed"),
        ("grpo", {"tools": ["tests.nowhere:search"]}, "there is no tests.nowhere:search"),
        ("rlvr", {"environment_factory": "os:nothing"}, "there is no os:nothing"),
    ],
)
def test_what_trl_would_not_take_is_told_before_anything_begins(
    trainer: str, settings: dict[str, Any], said: str
) -> None:
    assert said in refusal(trainer, **settings)


def test_what_only_one_of_the_two_ways_has_is_refused_on_the_other() -> None:
    only: list[tuple[str, dict[str, Any]]] = [
        ("grpo", {"use_vllm": True}),
        ("sft", {"report_to": ["wandb"]}),
        ("sft", {"packing": True}),
    ]
    for trainer, given in only:
        recipe = Recipe(trainer=trainer, settings=given)
        spec = JobSpec(job="a", base="b", model_type=TYPE.name, recipe=recipe, seed=1)
        with pytest.raises(Usage, match="only TRL's trainer has") as refused:
            check_way(spec, settings_of(recipe))
        assert refused.value.right == '"through": "trl"'
    for trainer, name, value in (
        ("rlvr", "algorithm", "ppo"),
        ("reward", "loss", "bce"),
        ("reward", "reads", "mean"),
    ):
        with pytest.raises(Usage, match="TRL has no"):
            check_way(*asking(trainer, **{name: value}))  # type: ignore[arg-type]
    spec, settings = asking("dpo", lora=True)
    elsewhere = spec.model_copy(update={"reference": "org/other"})
    check_way(spec, settings)
    with pytest.raises(Usage, match="compared with the base"):
        check_way(elsewhere, settings)


def test_more_accelerators_than_a_trainer_can_use_are_refused_on_either_way() -> None:
    for through in ("ours", "trl"):
        spec, settings = asking("sft", through=through)
        several = spec.model_copy(update={"resources": Resources(gpus=2)})
        check_way(spec.model_copy(update={"resources": Resources(gpus=1)}), settings)
        with pytest.raises(Usage, match="our trainers use one") as refused:
            check_way(several, settings)
        assert refused.value.where == "resources.gpus"


def test_what_trl_would_choose_otherwise_is_always_said() -> None:
    spec, settings = asking("grpo", beta=0.0, clip=0.1, variant="cispo", iterations=2, steps=5)
    found = fields_of(spec, settings, steps=10, micro=16, cpu=True, rewards=("outcome", "format"))
    assert found["bf16"] is False
    assert found["activation_checkpointing"] is False
    assert found["beta"] == 0.0
    assert found["epsilon_high"] == 1.1  # a bound of the ratio itself there
    assert found["multi_objective_aggregation"] == "normalize_then_sum"
    assert found["per_device_train_batch_size"] * found["gradient_accumulation_steps"] == 64
    limited = spec.model_copy(update={"limits": Limits(kl=0.1)})
    again = fields_of(limited, settings, steps=10, micro=16, cpu=True, rewards=("outcome",))
    assert again["beta"] == UNWEIGHED  # else TRL would measure no KL, and the limit hold for ever
    check(spec, settings)


def test_what_trl_is_told_beyond_our_settings_reaches_its_config(tmp_path: Path) -> None:
    from trainers.trl.configs import config_of

    spec, settings = asking("grpo", trl={"top_entropy_quantile": 0.2, "beta": 0.01})
    own = dict(settings.trl)
    ours = fields_of(spec, settings, steps=1, micro=1, cpu=True, rewards=("outcome",))
    found = config_of("GRPOConfig", ours | {"output_dir": str(tmp_path)}, own)
    assert (found.top_entropy_quantile, found.beta) == (0.2, 0.01)
    assert found.num_generations == settings.samples


def test_rewards_are_asked_a_group_at_a_time_and_once_for_all_their_names() -> None:
    seen: list[tuple[str, list[str]]] = []

    def score(task: Task, own: Any) -> dict[str, list[float | None]]:
        assert all(isinstance(one, Completion) for one in own)
        seen.append((task.prompt, [one.text for one in own]))
        known: list[float | None] = [None if one.text == "?" else len(one.text) for one in own]
        return {"outcome": known, "format": [float(one.finished) for one in own]}

    run: Any = SimpleNamespace(beat=lambda: None)
    batch = Batch(run, score, frozenset([0]))
    told: dict[str, float] = {}
    given = {
        "prompts": ["a", "a", "b", "b"],
        "completions": ["x", "yy", [{"role": "assistant", "content": "?"}], "z"],
        "completion_ids": [[1, 0], [1], [2, 0], [3, 0]],
        "row": [json.dumps({"prompt": one}) for one in "aabb"],
        "log_metric": told.__setitem__,
    }
    assert batch.rewards("outcome", **given) == [1, 2, None, 1]  # type: ignore[arg-type]
    assert batch.rewards("format", **given) == [1, 0, 1, 1]  # type: ignore[arg-type]
    assert seen == [("a", ["x", "yy"]), ("b", ["?", "z"])]
    assert told == {"zero_variance": 0.5}


def test_a_form_that_counts_nothing_is_no_reward() -> None:
    for weight, names in ((0.0, ("outcome",)), (0.5, ("outcome", "format"))):
        _, settings = asking("rlvr", format_weight=weight)
        run: Any = SimpleNamespace(settings=settings, model_type=TYPE)
        assert names_of(run) == names
