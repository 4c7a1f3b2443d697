"""Groups of samples: several completions of each prompt, scored, and compared with each other.

A group in which all samples score alike teaches nothing. Where the settings ask for it, others are
drawn in its place, a bounded number of times (dynamic sampling); what still teaches nothing stays,
with advantages of zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from statistics import fmean
from typing import Any, NamedTuple

from trainers.advantages import Rewards, advantages, says_something
from trainers.engine import Completion, Engine
from trainers.sequences import Sequences, padded


class Task(NamedTuple):
    """A prompt, and what its scorer has to know."""

    prompt: str
    row: Mapping[str, Any]
    stop: str | None = None
    """Ends a completion, besides the end token."""


Score = Callable[[Task, Sequence[Completion]], dict[str, list[float | None]]]
"""The rewards of a group, by name; None where nothing can be said of a sample."""


class Group(NamedTuple):
    """One prompt, its samples, and what each of them is worth."""

    task: Task
    completions: Sequence[Completion]
    rewards: Mapping[str, Rewards]


class Comparing(NamedTuple):
    """How groups are drawn and compared."""

    groups: int
    samples: int
    max_new: int
    temperature: float = 1.0
    weights: Mapping[str, float] = {}
    normaliser: str = "z_score"
    together: bool = False
    least_spread: float = 1e-4
    resample: int = 0
    mask_truncated: bool = False


class Lesson(NamedTuple):
    """What a step learns from."""

    batch: Sequences
    advantages: list[float]
    numbers: dict[str, float]


def sampled(
    engine: Engine, tasks: Iterator[Task], score: Score, how: Comparing, seed: int
) -> list[Group]:
    """Groups for one step, as many as wanted; those that teach something first."""
    teaching: list[Group] = []
    idle: list[Group] = []
    for turn in range(how.resample + 1):
        wanted = list(islice(tasks, how.groups - len(teaching)))
        for task, own in _drawn(engine, wanted, how, seed * (how.resample + 1) + turn):
            group = Group(task, own, score(task, own))
            kind = teaching if says_something(group.rewards, how.least_spread) else idle
            kind.append(group)
        if len(teaching) >= how.groups:
            break
    return (teaching + idle)[: how.groups]


def _drawn(
    engine: Engine, tasks: Sequence[Task], how: Comparing, seed: int
) -> Iterator[tuple[Task, list[Completion]]]:
    """The samples of each task; those with the same stop are written together."""
    found: dict[int, list[Completion]] = {}
    for stop in dict.fromkeys(task.stop for task in tasks):
        places = [place for place, task in enumerate(tasks) if task.stop == stop]
        prompts = [tasks[place].prompt for place in places]
        texts = engine.generate(
            prompts, how.max_new, how.temperature, seed=seed, stop=stop, samples=how.samples
        )
        for start, place in enumerate(places):
            found[place] = texts[start * how.samples : (start + 1) * how.samples]
    for place, task in enumerate(tasks):
        yield task, found[place]


def lesson(engine: Engine, groups: Sequence[Group], how: Comparing) -> Lesson:
    """As a batch, each sample with its advantage, and what a person would like to see."""
    prompts, completions, better = [], [], []
    for group in groups:
        own = advantages(group.rewards, how.weights, how.normaliser, how.together)
        ids = engine.prompt_ids(group.task.prompt)
        for completion, advantage in zip(group.completions, own, strict=True):
            cut_off = how.mask_truncated and not completion.finished
            prompts.append(ids)
            completions.append(completion.token_ids)
            better.append(0.0 if cut_off else advantage)
    pad = engine.tokenizer.pad_token_id
    return Lesson(padded(prompts, completions, pad), better, numbers_of(groups, how))


def numbers_of(groups: Sequence[Group], how: Comparing) -> dict[str, float]:
    """Means over the groups of one step."""
    all_ = [one for group in groups for one in group.completions]
    silent = [not says_something(group.rewards, how.least_spread) for group in groups]
    found = {
        "zero_variance": fmean(silent),
        "truncated": fmean(not one.finished for one in all_),
        "length": fmean(len(one.token_ids) for one in all_),
    }
    for name in groups[0].rewards:
        known = [one for group in groups for one in group.rewards[name] if one is not None]
        if known:
            found[name] = fmean(known)
    return found
