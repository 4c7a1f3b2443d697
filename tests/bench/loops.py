"""One training on additions by our loop, and one by stock TRL: its pace, and what came of it.

Both begin from the same base, with the same problems, groups, longest completions, learning rate,
weight on the KL and thread; both generate with transformers, TRL by its own path. The first steps
of each are not counted, since they allocate what the others use again.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from datasets import Dataset, disable_progress_bars
from transformers import PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from events.catalog.jobs import JobSpec, Recipe
from trainers import grpo, srl
from trainers.closing import SAMPLES
from trainers.engine import Completion, Engine
from trainers.groups import Task
from trainers.model_types import model_type
from trainers.model_types.steps import END, instances
from trainers.models import load
from trainers.policy import Policy
from trainers.probe import accuracy
from trainers.recipes import settings_of
from trainers.run import Run
from trainers.scoring import by_verifier
from trainers.watch import Watch

TYPE = model_type("arithmetic_reasoning")
WARM = 2
"""Steps of each training that are not counted."""
BATCH, GROUP = 16, 8
RATE, BETA = 2e-4, 0.05


class Trained(NamedTuple):
    """What one training was."""

    pace: float
    """Steps a second."""
    right: float
    """Share of right samples on held-out problems."""


class Subject(NamedTuple):
    """What is learned: outcomes, or an expert's steps."""

    name: str
    tasks: Sequence[Task]
    rewards: tuple[str, ...]
    max_new: int
    stop: str | None


def outcomes(problems: int) -> Subject:
    """RLVR: whole answers, right or wrong."""
    tasks = [Task(one.prompt, one._asdict()) for one in islice(TYPE.problems(5), problems)]
    return Subject("rlvr", tasks, ("outcome",), 96, None)


def steps(problems: int) -> Subject:
    """SRL: an expert's steps, each compared with what was written. The last ones end a text and
    not a step, which TRL cannot tell apart, so both do without them."""
    tasks = []
    for one in islice(TYPE.problems(5), problems):
        trajectory = TYPE.solve(one)
        row = {
            "prompt": one.prompt,
            "steps": [step._asdict() for step in trajectory.steps],
            "outcome": trajectory.outcome,
        }
        tasks += [Task(step["prompt"], step, END) for step in instances(row) if not step["last"]]
    return Subject("srl", tasks, ("format", "similarity"), 24, END)


def score_of(subject: Subject) -> Any:
    return srl.likeness if subject.name == "srl" else by_verifier(TYPE, form=False)


def ours(
    subject: Subject, base: Path, count: int, seed: int, folder: Path, measuring: bool = True
) -> Trained:
    """By `trainers.grpo.learn`, which SRL and RLVR share."""
    recipe = Recipe(
        trainer="grpo",
        profile="tiny",
        settings={
            "batch": BATCH, "samples": GROUP, "max_new": subject.max_new, "beta": BETA,
            "learning_rate": RATE, "steps": count, "microbatch": BATCH * GROUP,
            "save_every": 10 * count, "reward": "verifier",
        },
    )  # fmt: skip
    spec = JobSpec(job=folder.name, base=str(base), model_type=TYPE.name, recipe=recipe, seed=seed)
    folder.mkdir()
    settings = settings_of(recipe)
    run = _Timed(spec, settings, Watch(folder / "spec.json"))
    policy = Policy(run)
    how = grpo.comparing(settings)
    grpo.learn(run, policy, list(subject.tasks), score_of(subject), how, grpo.rules(settings))
    policy.model.eval()
    return Trained(_pace(run.times), _right(policy.model, policy.tokenizer) if measuring else 0.0)


def theirs(
    subject: Subject, base: Path, count: int, seed: int, folder: Path, measuring: bool = True
) -> Trained:
    """By `trl.GRPOTrainer`: bfloat16 and gradient checkpointing off, all else that it does."""
    disable_progress_bars()
    model, tokenizer = load(base)
    tokenizer.padding_side = "left"
    if subject.stop:
        end = tokenizer.convert_tokens_to_ids(subject.stop)
        model.generation_config.eos_token_id = [tokenizer.eos_token_id, end]
    several = len(subject.rewards) > 1
    timed = _Stopwatch()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        config = GRPOConfig(
            output_dir=str(folder), seed=seed, use_cpu=True, bf16=False,
            activation_checkpointing=False, learning_rate=RATE, lr_scheduler_type="constant",
            optim="adamw_torch_fused", max_steps=count, per_device_train_batch_size=BATCH * GROUP,
            num_generations=GROUP, max_completion_length=subject.max_new, beta=BETA,
            loss_type="grpo", num_iterations=1, save_strategy="no", disable_tqdm=True,
            report_to="none", log_completions=False,
            multi_objective_aggregation="normalize_then_sum" if several else "sum_then_normalize",
        )  # fmt: skip
        trainer = GRPOTrainer(
            model=model,
            reward_funcs=[_reward(subject, name) for name in subject.rewards],
            args=config,
            train_dataset=Dataset.from_list(
                [{"prompt": one.prompt, "row": json.dumps(one.row)} for one in subject.tasks]
            ),
            processing_class=tokenizer,
            callbacks=[timed],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    return Trained(_pace(timed.times), _right(model, tokenizer) if measuring else 0.0)


class _Timed(Run):
    """A run that knows when each of its steps ended."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.times: list[float] = []

    def report(self, step: int, **numbers: float) -> str:
        self.times.append(time.perf_counter())
        return super().report(step, **numbers)


class _Stopwatch(TrainerCallback):  # type: ignore[misc]  # Any to mypy
    """The same for a trainer of TRL."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, *_args: Any, **_more: Any) -> None:
        self.times.append(time.perf_counter())


def _reward(subject: Subject, name: str) -> Any:
    score = score_of(subject)

    def scored(
        completions: list[str], completion_ids: list[list[int]], row: list[str], **_: Any
    ) -> list[float | None]:
        """One sample at a time, as such functions are mostly written."""
        found = []
        for text, ids, line in zip(completions, completion_ids, row, strict=True):
            known = json.loads(line)
            whole = Completion(text, tuple(ids), len(ids) < subject.max_new)
            found.append(score(Task(known["prompt"], known), [whole])[name][0])
        return found

    scored.__name__ = name
    return scored


def _pace(times: list[float]) -> float:
    return (len(times) - 1 - WARM) / (times[-1] - times[WARM])


def _right(model: Any, tokenizer: Any) -> float:
    """Of 100 held-out problems, several samples each."""
    with torch.no_grad():
        found = accuracy(
            Engine(model, tokenizer), TYPE.suite(1, 100), TYPE.verify, max_new=96, seed=3,
            samples=SAMPLES,
        )  # fmt: skip
    return found.sampled
