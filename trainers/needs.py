"""What a job needs beside its rows, looked at before anything heavy loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from events.catalog.jobs import JobSpec
from trainers.base import check_base, tokens_of
from trainers.failures import BadBase, Usage

HEAD = "value_head.safetensors"


def check_needs(spec: JobSpec, settings: Any) -> None:
    """Its models, and whoever scores; stop with one sentence where something is missing."""
    if spec.trainer == "begin":  # it makes what others begin from
        return
    check_base(spec.base)
    if spec.reference is not None:
        check_base(spec.reference, "reference")
    match spec.trainer:
        case "distill" if settings.mode == "on_policy":
            _check_teacher(spec)
        case "grpo" | "ppo":
            _check_scorer(settings)
        case "dpo" if len(settings.loss_weights) not in (0, len(settings.losses)):
            raise Usage(
                f"there are {len(settings.losses)} losses and {len(settings.loss_weights)} weights",
                where="recipe.settings.loss_weights",
                right="one for each of the losses, or none",
            )


def _check_teacher(spec: JobSpec) -> None:
    """There is one, and it has the tokens of the student."""
    if spec.reference is None:
        right = "the folder or hub id of the teacher"
        raise Usage("no teacher is named to learn from", where="reference", right=right)
    ours, theirs = tokens_of(spec.base), tokens_of(spec.reference)
    if ours is not None and theirs is not None and ours != theirs:
        raise other_tokens(sum(theirs.get(token) != number for token, number in ours.items()))


def other_tokens(many: int) -> BadBase:
    """A teacher whose distribution says nothing about the tokens of the student."""
    what = f"{many:,} tokens of the student are others, or not there, in the teacher"
    if not many:
        what = "the teacher has tokens that the student does not have"
    right = "a teacher with the tokenizer of the student; else `traces` of its completions"
    return BadBase(what, where="reference", right=right)


def _check_scorer(settings: Any) -> None:
    if settings.reward == "judge" and not settings.judge_url:
        right = "a loopback address that takes {prompt, completions} and returns {scores}"
        raise Usage("no judge is named", where="recipe.settings.judge_url", right=right)
    if settings.reward != "reward_model":
        return
    field, right = "recipe.settings.reward_model", "the folder of a model that `reward` has made"
    if not settings.reward_model:
        raise Usage("no reward model is named", where=field, right=right)
    check_base(settings.reward_model, field)
    if not (Path(settings.reward_model).expanduser() / HEAD).is_file():
        what = f"the model {settings.reward_model!r} has no {HEAD}"
        raise BadBase(what, where=field, right=right)
