"""Our settings as fields of TRL's configs: pure, by the names that TRL has for them.

What TRL would choose otherwise is always said: bfloat16 and gradient checkpointing are on there
unless they are turned off, on a CPU too, and GRPO has no weight on the KL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from events.catalog.jobs import JobSpec

Fields = dict[str, Any]
WORK = "trl"
"""Where TRL writes, in the job's folder; what trackers keep there stays."""
UNWEIGHED = 1e-12
"""A beta that has TRL measure the KL and do nothing with it: without one it measures none."""

VARIANTS: dict[str, Fields] = {
    "grpo": {"loss_type": "grpo"},
    "dr_grpo": {"loss_type": "dr_grpo"},
    "dapo": {"loss_type": "dapo"},
    "cispo": {"loss_type": "cispo"},
    "gspo": {"loss_type": "grpo", "importance_sampling_level": "sequence"},
}
"""How samples are compared and summed, as TRL says it; rloo is a trainer of its own there."""


class Kind(NamedTuple):
    """The trainer of TRL that a job goes through."""

    trainer: str
    config: str


KINDS: dict[str, Kind] = {
    "sft": Kind("SFTTrainer", "SFTConfig"),
    "reward": Kind("RewardTrainer", "RewardConfig"),
    "dpo": Kind("DPOTrainer", "DPOConfig"),
    "grpo": Kind("GRPOTrainer", "GRPOConfig"),
    "rloo": Kind("RLOOTrainer", "RLOOConfig"),
}

OURS_ALONE = frozenset(
    {
        "disable_tqdm", "eval_strategy", "gradient_accumulation_steps", "hub_token",
        "logging_steps", "logging_strategy", "max_steps", "num_train_epochs", "output_dir",
        "push_to_hub", "resume_from_checkpoint", "save_only_model", "save_steps",
        "save_strategy", "seed", "per_device_train_batch_size", "generation_batch_size",
        "steps_per_generation", "use_cpu",
    }
)  # fmt: skip
"""Fields that no job sets by TRL's name: the job's folder, its seed, its steps and its batch are
the job's own, or a setting of ours."""


def kind_of(trainer: str, settings: Any) -> Kind:
    """By the name of our trainer, and what it is set to."""
    if trainer not in ("grpo", "rlvr"):
        return KINDS[trainer]
    variant = settings.algorithm if trainer == "rlvr" else settings.variant
    return KINDS["rloo" if variant == "rloo" else "grpo"]


def completions(trainer: str, settings: Any) -> int:
    """What one step learns from, as TRL counts it: rows, pairs, or single samples."""
    return int(settings.batch * (settings.samples if trainer in ("grpo", "rlvr") else 1))


def steps_of(settings: Any, rows: int) -> int:
    """Optimizer steps; each passage through one batch of samples is one of its own there."""
    steps = settings.steps or -(-rows * settings.epochs // settings.batch)
    return int(steps * getattr(settings, "iterations", 1))


def fields_of(
    spec: JobSpec, settings: Any, *, steps: int, micro: int, cpu: bool, rewards: Sequence[str]
) -> Fields:
    """All that we set of a config; the job's own fields by TRL's names are not among them yet."""
    found = _learning(spec, settings, steps, cpu)
    whole = completions(spec.trainer, settings)
    found |= {"per_device_train_batch_size": micro, "gradient_accumulation_steps": whole // micro}
    match spec.trainer:
        case "sft":
            found |= {
                "loss_type": settings.loss,
                "completion_only_loss": settings.completion_only,
                "packing": settings.packing,
                "max_length": settings.max_length,
            }
        case "reward":
            found |= {
                "center_rewards_coefficient": settings.centre or None,
                "max_length": settings.max_length,
            }
        case "dpo":
            found |= {
                "beta": settings.beta,
                "loss_type": list(settings.losses),
                "loss_weights": list(settings.loss_weights) or None,
                "label_smoothing": settings.label_smoothing,
                "max_length": settings.max_length,
            }
        case _:
            found |= _sampling(settings, whole, spec.limits.kl is not None)
            found |= _weights(settings, rewards)
            if kind_of(spec.trainer, settings) == KINDS["grpo"]:
                found |= _comparing(settings, len(rewards))
    return found


def _learning(spec: JobSpec, settings: Any, steps: int, cpu: bool) -> Fields:
    warmup = round(settings.warmup_share * steps)
    schedule = settings.schedule
    if schedule == "constant" and warmup:
        schedule = "constant_with_warmup"
    return {
        "output_dir": WORK,
        "seed": spec.seed % 2**32,
        "use_cpu": cpu,
        "bf16": settings.precision == "bfloat16",
        "fp16": False,
        "activation_checkpointing": settings.gradient_checkpointing,
        "learning_rate": settings.rate,
        "lr_scheduler_type": schedule,
        "warmup_steps": warmup,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "optim": "adamw_torch_fused",
        "max_steps": steps,
        "num_train_epochs": 1,
        "logging_strategy": "steps",
        "logging_steps": 1,
        "save_strategy": "no",
        "eval_strategy": "no",
        "report_to": list(settings.report_to) or "none",
        "disable_tqdm": True,
        "push_to_hub": False,
    }


def _sampling(settings: Any, whole: int, limited: bool) -> Fields:
    variant = getattr(settings, "variant", "grpo")
    high = settings.clip if settings.clip_high is None else settings.clip_high
    found = {
        "num_generations": settings.samples,
        "generation_batch_size": whole,
        "max_completion_length": settings.max_new,
        "temperature": settings.temperature,
        "top_k": 0,
        "top_p": 1.0,
        "num_iterations": settings.iterations,
        "beta": settings.beta or (UNWEIGHED if limited else 0.0),
        "epsilon": settings.clip,
        "epsilon_high": 1 + high if variant == "cispo" else high,  # there a bound of the ratio
        "mask_truncated_completions": settings.mask_truncated,
        "use_vllm": settings.use_vllm,
        "vllm_mode": settings.vllm_mode,
    }
    if settings.vllm_server_base_url:
        found["vllm_server_base_url"] = settings.vllm_server_base_url
    return found


def _weights(settings: Any, rewards: Sequence[str]) -> Fields:
    if not rewards:  # an environment says itself how good it went
        return {}
    form = getattr(settings, "format_weight", 1.0)
    return {"reward_weights": [form if name == "format" else 1.0 for name in rewards]}


def _comparing(settings: Any, rewards: int) -> Fields:
    """Several rewards are normalised each by itself, as ours are."""
    apart = rewards > 1 and settings.normaliser == "z_score"
    return {
        **VARIANTS[getattr(settings, "variant", "grpo")],
        "scale_rewards": "group" if settings.normaliser == "z_score" else "none",
        "multi_objective_aggregation": "normalize_then_sum" if apart else "sum_then_normalize",
        "entropy_coef": settings.entropy_coef,
    }
