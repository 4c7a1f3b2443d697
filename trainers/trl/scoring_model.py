"""A reward model through TRL, which trains a classifier with one class, and ends as ours does.

Its trunk is that of the base, its score a linear reading at the end token: moved into the causal
model and its value head, it is read by whoever reads ours.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from peft import LoraConfig, TaskType
from transformers import AutoModelForSequenceClassification

from trainers import reward
from trainers.failures import BadBase
from trainers.outcome import Outcome
from trainers.policy import Policy
from trainers.run import Run
from trainers.trl.rows import fitting
from trainers.value_head import ValueHead

Follow = Callable[..., Any]


def train(run: Run, follow: Follow) -> Outcome:
    """Pairs with a chosen and a rejected side."""
    policy = Policy(_plain(run))
    tokenizer = policy.tokenizer
    if tokenizer.pad_token_id == tokenizer.eos_token_id:
        raise BadBase(
            "padding and end are the same token, and TRL would read the score before the end",
            where="base",
            right='a tokenizer with a pad token of its own, or "through": "ours"',
        )
    model = _classifier(run, policy)
    rows = fitting(run, policy, run.rows(), "chosen", "rejected")
    more = {"peft_config": _adapters(run)} if run.settings.lora else {}
    trainer = follow(run, model, tokenizer, rows, **more)
    learned = trainer.model.merge_and_unload() if run.settings.lora else model
    trunk = policy.model.base_model_prefix
    getattr(policy.model, trunk).load_state_dict(getattr(learned, trunk).state_dict())
    head = ValueHead(learned.score.weight.shape[1]).to(policy.device)
    with torch.no_grad():
        head.linear.weight.copy_(learned.score.weight)
    return reward.ended(run, policy, head)


def _classifier(run: Run, policy: Policy) -> Any:
    """On the trunk that was loaded, with a score that says nothing yet."""
    config = type(policy.model.config).from_dict(policy.model.config.to_dict())
    config.num_labels, config.pad_token_id = 1, policy.tokenizer.pad_token_id
    made = AutoModelForSequenceClassification.from_config(config)
    trunk = policy.model.base_model_prefix
    getattr(made, trunk).load_state_dict(getattr(policy.model, trunk).state_dict())
    torch.nn.init.zeros_(made.score.weight)
    made.config._name_or_path = run.spec.base
    return made.to(policy.device)


def _adapters(run: Run) -> LoraConfig:
    settings = run.settings
    return LoraConfig(
        r=settings.lora_r,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules="all-linear"
        if tuple(settings.lora_targets) == ("all-linear",)
        else list(settings.lora_targets),
        task_type=TaskType.SEQ_CLS,
    )


def _plain(run: Run) -> Any:
    """The same job with all its weights in the model: adapters go onto the classifier."""
    settings = run.settings.model_copy(update={"lora": False})
    return SimpleNamespace(spec=run.spec, settings=settings)
