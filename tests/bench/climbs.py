"""How long a policy takes to a held-out reward: our PPO beside our GRPO, each by its tiny profile.

Replies to customers, scored by the rubric itself, so that both climb towards the same truth. They
begin from one model that has imitated people's drafts. Looking how far they have come costs no time
on their clocks. A reward once seen may be luck: it counts when the mean of three looks is there,
and the moment is that of the middle one.
"""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from events.catalog.jobs import JobSpec, Recipe
from trainers import grpo, ppo, sft
from trainers.groups import Task
from trainers.model_types import model_type
from trainers.models import save
from trainers.policy import Policy
from trainers.probe import measure
from trainers.recipes import settings_of
from trainers.run import Run
from trainers.scoring import by_verifier
from trainers.tiny import make_tiny_base
from trainers.watch import Watch

TYPE = model_type("support_replies")
TARGET = 0.2
"""How much better than where it began the mean reward has to be."""
LOOKS = 3
HELD_OUT = TYPE.suite(99, 200)
MAX_NEW = 32


class Climb(NamedTuple):
    """One way up."""

    seconds: float
    """To the target; infinite where it was not reached."""
    begun: float
    reached: float
    steps: int
    kl: float
    """How far it went, per token, measured."""


def imitated(folder: Path, seed: int = 0) -> Path:
    """A model that has learned to write as people's drafts are."""
    base = make_tiny_base(TYPE, seed)
    drafts = [
        {"prompt": one.prompt, "completion": TYPE.draft(one, seed)}
        for one in islice(TYPE.problems(2000), 3000)
    ]
    run = _Climbing(_spec(base, "sft", seed, steps=100, learning_rate=1e-3), folder / "drafts")
    policy = Policy(run)
    sft.learn(run, policy, drafts)
    policy.model.eval()
    return save(folder / "imitated", policy.model, policy.tokenizer)


def climb(algorithm: str, base: Path, seed: int, folder: Path, **settings: Any) -> Climb:
    """By `trainers.ppo.learn` or `trainers.grpo.learn`, until the target is reached."""
    spec = _spec(base, algorithm, seed, reward="verifier", steps=60, save_every=1000, **settings)
    run = _Climbing(spec, folder)
    policy = Policy(run)
    tasks = [Task(one.prompt, one._asdict()) for one in islice(TYPE.problems(seed), 1000)]
    score = by_verifier(TYPE, form=False)
    begun = _reward(policy)
    run.follow(policy, begun + TARGET)
    if algorithm == "ppo":
        ppo.learn(run, policy, tasks, score)
    else:
        how, rules = grpo.comparing(run.settings), grpo.rules(run.settings)
        grpo.learn(run, policy, tasks, score, how, rules)
    prompts = [one.prompt for one in HELD_OUT]
    apart = measure(policy.engine, base, prompts, max_new=MAX_NEW, seed=2).kl_per_token
    return Climb(run.arrived, begun, run.seen[-1][1], run.step, apart)


class _Climbing(Run):
    """A run that looks after each step how far it has come, and ends when that is far enough."""

    def __init__(self, spec: JobSpec, folder: Path) -> None:
        folder.mkdir()
        super().__init__(spec, settings_of(spec.recipe), Watch(folder / "spec.json"))
        self.seen: list[tuple[float, float]] = []
        self.arrived = float("inf")
        self._policy: Any = None

    def follow(self, policy: Policy, target: float) -> None:
        self._policy, self._target = policy, target
        self._began = time.perf_counter()

    def report(self, step: int, **numbers: float) -> str:
        if self._policy is None:
            return super().report(step, **numbers)
        now = time.perf_counter()
        self.seen.append((now - self._began, _reward(self._policy)))
        looks = self.seen[-LOOKS:]
        there = len(looks) == LOOKS and fmean(one for _, one in looks) >= self._target
        if there:
            self.arrived = looks[LOOKS // 2][0]
        stopped = super().report(step, **numbers)
        self._began += time.perf_counter() - now
        return "the target is reached" if there else stopped


def _reward(policy: Policy) -> float:
    """The mean over held-out tickets, the same luck each time."""
    prompts = [one.prompt for one in HELD_OUT]
    written = policy.engine.generate(prompts, MAX_NEW, 1.0, seed=1)
    return fmean(
        TYPE.verify(one, text.text).reward for one, text in zip(HELD_OUT, written, strict=True)
    )


def _spec(base: Path, trainer: str, seed: int, **settings: Any) -> JobSpec:
    recipe = Recipe(trainer=trainer, profile="tiny", settings=settings)
    return JobSpec(job="climb", base=str(base), model_type=TYPE.name, recipe=recipe, seed=seed)
