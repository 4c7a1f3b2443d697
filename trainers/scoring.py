"""Who says how good a sample is: the verifier of a model type, a reward model, or a judge by HTTP.

Rewards keep their names, so that form and outcome are never one number before they are compared.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import torch

from trainers.critics import scores_of, texts
from trainers.engine import Completion
from trainers.failures import Usage
from trainers.groups import Score, Task
from trainers.model_types.kind import problem_of
from trainers.models import load_reference
from trainers.policy import device_of
from trainers.run import Run
from trainers.value_head import load_head

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds that a judge may take for a group."""
LARGEST = 1 << 20
"""Bytes of a judge's answer."""


def scorer(run: Run) -> Score:
    """As the settings ask."""
    match run.settings.reward:
        case "reward_model":
            return by_reward_model(run, run.settings.reward_model)
        case "judge":
            return by_judge(run.settings.judge_url)
    return by_verifier(run.model_type)


def by_verifier(kind: Any, form: bool = True) -> Score:
    """The outcome by the verifier, and the form as a reward of its own."""

    def score(task: Task, completions: Sequence[Completion]) -> dict[str, list[float | None]]:
        problem = problem_of(task.row)
        outcome: list[float | None] = [kind.verify(problem, one.text).reward for one in completions]
        if not form or "format" not in kind.rewards:
            return {"outcome": outcome}
        shaped = [kind.rewards["format"](problem, one.text) for one in completions]
        return {"outcome": outcome, "format": shaped}

    return score


def by_reward_model(run: Run, folder: str) -> Score:
    """What a model with a value head says at the last token of a sample."""
    if not folder:
        right = "the folder of a model that the trainer `reward` has made"
        raise Usage("no reward model is named", where="recipe.settings.reward_model", right=right)
    device = device_of(run)
    judging = load_reference(folder, device=device)
    head = load_head(Path(folder)).to(device).eval()
    scale = getattr(run.settings, "reward_scale", 1.0)

    def score(task: Task, completions: Sequence[Completion]) -> dict[str, list[float | None]]:
        prompts = [task.prompt] * len(completions)
        batch = texts(
            judging.tokenizer, prompts, [one.text for one in completions], run.settings.max_length
        )
        with torch.no_grad():
            found = scores_of(judging.model, head, batch.on(device))
        return {"outcome": [scale * one for one in found.tolist()]}

    return score


def by_judge(url: str) -> Score:
    """Asked at a loopback address, a group at a time; what it does not score stays unscored."""
    if not url:
        right = "a loopback address that takes {prompt, completions} and returns {scores}"
        raise Usage("no judge is named", where="recipe.settings.judge_url", right=right)

    def score(task: Task, completions: Sequence[Completion]) -> dict[str, list[float | None]]:
        asked = {"prompt": task.prompt, "completions": [one.text for one in completions]}
        request = Request(url, json.dumps(asked).encode(), {"Content-Type": "application/json"})
        try:
            with urlopen(request, timeout=PATIENCE) as answer:
                found = json.loads(answer.read(LARGEST))["scores"]
            scores = [None if one is None else float(one) for one in found]
        except (URLError, OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the judge at %s did not answer: %s", url, error)
            scores = []
        if len(scores) != len(completions):
            scores = [None] * len(completions)
        return {"outcome": scores}

    return score
