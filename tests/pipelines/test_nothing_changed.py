"""A/A: runs in which no model becomes any better, through the real gates; how often one is claimed.

The decider, its gates and remedies, and the statistics of the stages are the real ones. Only the
answers are drawn: of each problem both models are right with the same chance, four samples each.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from statistics import fmean
from typing import Any

import pytest

from agents.trainer.workers.measuring import gain, scores
from events.catalog.gates import CandidateRegistered, IterationDecided
from events.catalog.training import (
    Artifact,
    Measured,
    RunAbandoned,
    RunCompleted,
    StageCompleted,
    StageRequested,
)
from events.message import Event
from pipelines.evidence.intervals import bounded
from pipelines.evidence.ratios import ratio, retained
from pipelines.remedies import settled
from tests.agents.trainer.story import GOOD, POLICIES, Story, measured

CLAIMS = 0.05
Items = list[dict[str, Any]]


class Luck(random.Random):
    """Answers to fresh problems, by two models that are alike."""

    def both(self, many: int, edge: float = 0.0) -> tuple[Items, Items]:
        """Those of the one and of the other; the first is better by `edge`, where there is one."""
        chances = [self.betavariate(0.6, 1.6) for _ in range(many)]
        return (
            [self._item(min(1.0, one + edge)) for one in chances],
            [self._item(one) for one in chances],
        )

    def _item(self, chance: float) -> dict[str, Any]:
        right = [self.random() < chance for _ in range(4)]
        return {"sampled": right, "tokens": 20, "kl": 20 * max(0.0, self.gauss(0.02, 0.02))}


COMPARED = {"srl_rlvr": {"srl", "rlvr", "verify"}, "dpo": {"optimise", "iterate", "evaluate"}}
"""Stages that put one model beside another; all others go as well as in the deciders' tests."""
LAST = ("verify", "evaluate")


def figures(asked: StageRequested, luck: Luck, edge: float) -> dict[str, Measured]:
    """What a stage measures where the one model is better than the other by `edge`, if at all."""
    good = measured(GOOD[asked.pipeline][asked.stage])
    if asked.stage not in COMPARED[asked.pipeline]:
        return good
    many = 300 if asked.stage in LAST else 150
    many = round(settled(asked.changes, asked.stage, {"items": many}).get("items", many))
    after, before = luck.both(many, edge)
    score = fmean(scores(after))
    better = gain(after, before)
    found = {
        "sampled": Measured(value=score, low=score, high=score, n=many),
        "kl": ratio([one["kl"] for one in after], [float(one["tokens"]) for one in after]),
        "gain": better,
        "improvement": better,
    }
    if asked.stage in LAST:
        found["retention"] = retained(scores(after), scores(before))
        found["win_rate"] = bounded([_won(*both) for both in zip(after, before, strict=True)])
    found["score"] = found["sampled"]
    return good | found


def _won(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    pairs = list(zip(one["sampled"], other["sampled"], strict=True))
    return fmean(0.5 + (a - b) / 2 for a, b in pairs)


def decided(pipeline: str, seed: int, edge: float = 0.0) -> list[Event]:
    """All decisions of one run, to its end."""
    luck, story = Luck(seed), Story(pipeline)
    said, news = list(story.said), list(story.said)
    while not any(isinstance(one, RunCompleted | RunAbandoned) for one in news):
        asked = [one for one in news if isinstance(one, StageRequested)]
        news = _done(story, asked[-1], luck, edge) if asked else story.data()
        said += news
    return said


def _done(story: Story, asked: StageRequested, luck: Luck, edge: float) -> list[Event]:
    made = (Artifact(kind="policy", sha256=f"sha256:{luck.getrandbits(256):064x}", size=1),)
    ended = StageCompleted(
        run=asked.run, stage=asked.stage, attempt=asked.attempt, seconds=1.0,
        metrics=figures(asked, luck, edge), artifacts=made if asked.stage in POLICIES else (),
    )  # fmt: skip
    return list(story.history.tell(ended))


def claimed(pipeline: str, runs: int) -> tuple[int, int, int]:
    """How many runs registered a model, and how many rounds of how many called it better."""
    registered = turned = rounds = 0
    for seed in range(runs):
        said = decided(pipeline, seed)
        registered += any(isinstance(one, CandidateRegistered) for one in said)
        trends = [one.trend for one in said if isinstance(one, IterationDecided)]
        turned, rounds = turned + trends.count("improving"), rounds + len(trends)
    print(f"{pipeline}: {registered} of {runs} registered, {turned} of {rounds} rounds better")
    return registered, turned, rounds


@pytest.mark.parametrize("pipeline", COMPARED)
@pytest.mark.parametrize("runs", [12, pytest.param(200, marks=pytest.mark.proof)])
def test_what_is_no_better_is_seldom_registered(pipeline: str, runs: int) -> None:
    registered, turned, rounds = claimed(pipeline, runs)
    assert registered <= CLAIMS * runs
    assert turned <= max(1, CLAIMS * rounds)


@pytest.mark.parametrize("pipeline", COMPARED)
def test_what_is_better_is_mostly_registered(pipeline: str) -> None:
    """Else the test above would pass because nothing ever is."""
    found = [decided(pipeline, seed, edge=0.2) for seed in range(10)]
    right = [any(isinstance(one, CandidateRegistered) for one in said) for said in found]
    assert sum(right) >= 8
