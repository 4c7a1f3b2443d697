"""What we rely on of TRL and transformers, as one table; and what of it is missing here.

Names come and go in TRL with each release, mostly without an error: a field that is gone from a
config is told, but a number that is no longer logged is simply not there, and a limit on it would
hold for ever. So a job asks this table before it begins, and the callback before it believes.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import transformers
import trl

BASE_FIELDS = (
    "output_dir", "seed", "use_cpu", "bf16", "fp16", "activation_checkpointing", "learning_rate",
    "lr_scheduler_type", "warmup_steps", "weight_decay", "max_grad_norm", "optim", "max_steps",
    "num_train_epochs", "per_device_train_batch_size", "gradient_accumulation_steps",
    "logging_strategy", "logging_steps", "save_strategy", "eval_strategy", "report_to",
    "disable_tqdm", "push_to_hub",
)  # fmt: skip
SAMPLED_FIELDS = (
    "num_generations", "generation_batch_size", "max_completion_length", "temperature", "top_k",
    "top_p", "num_iterations", "beta", "epsilon", "epsilon_high", "mask_truncated_completions",
    "reward_weights", "use_vllm", "vllm_mode", "vllm_server_base_url",
)  # fmt: skip

FIELDS: dict[str, tuple[str, ...]] = {
    "SFTConfig": (*BASE_FIELDS, "loss_type", "completion_only_loss", "packing", "max_length"),
    "RewardConfig": (*BASE_FIELDS, "center_rewards_coefficient", "max_length"),
    "DPOConfig": (
        *BASE_FIELDS, "beta", "loss_type", "loss_weights", "label_smoothing", "max_length",
    ),
    "GRPOConfig": (
        *BASE_FIELDS, *SAMPLED_FIELDS, "loss_type", "scale_rewards", "importance_sampling_level",
        "multi_objective_aggregation", "entropy_coef",
    ),
    "RLOOConfig": (*BASE_FIELDS, *SAMPLED_FIELDS),
}  # fmt: skip
"""Fields of each config that we set."""

BASE_PARAMETERS = ("model", "args", "train_dataset", "processing_class", "callbacks")
PARAMETERS: dict[str, tuple[str, ...]] = {
    "SFTTrainer": BASE_PARAMETERS,
    "RewardTrainer": (*BASE_PARAMETERS, "peft_config"),
    "DPOTrainer": (*BASE_PARAMETERS, "ref_model"),
    "GRPOTrainer": (*BASE_PARAMETERS, "reward_funcs", "tools", "environment_factory"),
    "RLOOTrainer": (*BASE_PARAMETERS, "reward_funcs"),
}
"""What we hand to each trainer."""

CALLED: dict[str, tuple[str, ...]] = {
    "TrainerCallback": ("on_log", "on_save", "on_step_end", "on_substep_end"),
    "TrainerControl": ("should_save", "should_training_stop"),
    "TrainerState": ("global_step",),
    "Trainer": ("train", "add_callback", "remove_callback"),
    "PrinterCallback": (),
}
"""Of transformers: what we overwrite, call or read."""

_ALWAYS = ("loss", "grad_norm", "learning_rate")
LOGGED: dict[str, tuple[str, ...]] = {
    "SFTTrainer": (*_ALWAYS, "entropy", "mean_token_accuracy"),
    "RewardTrainer": (*_ALWAYS, "accuracy", "margin"),
    "DPOTrainer": (*_ALWAYS, "rewards/accuracies", "rewards/margins"),
    "GRPOTrainer": (*_ALWAYS, "entropy"),
    "RLOOTrainer": (*_ALWAYS, "entropy"),
}
"""Numbers of each step that we read; `kl` besides, where beta is not 0."""
SAMPLED = (
    "reward", "completions/mean_length", "completions/clipped_ratio", "rewards/outcome/mean",
    "zero_variance",
)  # fmt: skip
"""Those of a step that draws samples, and does not only pass through the last ones again."""

Look = Callable[[str], Any]
"""The thing of this name, out of TRL or transformers."""


def look(name: str) -> Any:
    """Where it is; an AttributeError where it is gone."""
    return getattr(transformers if name in CALLED else trl, name)


def broken(look: Look = look) -> list[str]:
    """A sentence for each thing that is not there any more; none where all is well."""
    return [
        *_missing(look, FIELDS, _fields, "field"),
        *_missing(look, PARAMETERS, _parameters, "parameter"),
        *_missing(look, CALLED, _members, "member"),
    ]


def silent(trainer: str, logs: Mapping[str, float], kl: bool, samples: bool) -> list[str]:
    """Numbers that we rely on and that this trainer did not log."""
    wanted = (*LOGGED[trainer], *(("kl",) if kl else ()), *(SAMPLED if samples else ()))
    return [name for name in wanted if name not in logs]


def _missing(
    look: Look,
    table: Mapping[str, tuple[str, ...]],
    having: Callable[[Any], set[str]],
    kind: str,
) -> Iterator[str]:
    for name, wanted in table.items():
        try:
            there = having(look(name))
        except (AttributeError, ImportError):
            yield f"{name} is gone"
            continue
        yield from (f"{name} has no {kind} {one!r}" for one in wanted if one not in there)


def _fields(config: Any) -> set[str]:
    return {one.name for one in dataclasses.fields(config) if one.init}


def _parameters(trainer: Any) -> set[str]:
    return set(inspect.signature(trainer).parameters)


def _members(kind: Any) -> set[str]:
    fields = (
        {one.name for one in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else ()
    )
    return {*dir(kind), *fields}
