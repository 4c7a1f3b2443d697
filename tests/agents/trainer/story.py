"""A run that is led to wherever a test wants it, with good figures or others."""

from __future__ import annotations

import json
from typing import Any

from agents.trainer.decide import TRAINER
from events.catalog.data import DataBegun, DatasetAccepted
from events.catalog.roles import RoleDefined
from events.catalog.training import (
    Artifact,
    Measured,
    RunStarted,
    StageCompleted,
    StageFailed,
    TrainingRequested,
)
from events.fact import Fact
from events.message import Event
from pipelines.catalog import PIPELINES
from tests.agents.spec import History, given

Figures = dict[str, tuple[float, float]]
PROFILE = {"name": "sums", "purpose": "adds up", "model_type": "arithmetic_reasoning"}
GOOD: dict[str, dict[str, Figures]] = {
    "srl_rlvr": {
        "baseline": {"sampled": (0.1, 0.2)},
        "srl": {"kl": (0.04, 0.06), "gain": (0.02, 0.08), "sampled": (0.2, 0.3)},
        "rlvr": {
            "kl": (0.04, 0.06), "gain": (0.1, 0.2), "entropy_relative": (0.7, 0.8),
            "sampled": (0.4, 0.5),
        },
        "verify": {"improvement": (0.1, 0.2), "retention": (1.1, 1.5)},
    },
    "dpo": {
        "prepare": {"score": (0.4, 0.5)},
        "pairs": {"gap": (0.3, 0.4), "pairs": (1200, 1200), "decontamination": (0.99, 0.99)},
        "initialise": {"kl": (0, 0), "matching": (1, 1)},
        "model_preferences": {
            "accuracy": (0.75, 0.8), "train_accuracy": (0.75, 0.8), "overfit": (0.01, 0.01),
        },
        "optimise": {
            "kl": (0.05, 0.06), "gap": (0.2, 0.3), "preference_accuracy": (0.7, 0.8),
            "score": (0.6, 0.7),
        },
        "iterate": {"kl": (0.05, 0.06), "gain": (-0.01, 0.01), "score": (0.6, 0.7)},
        "evaluate": {
            "retention": (0.98, 1.1), "areas_lost": (0, 0), "improvement": (0.1, 0.2),
            "win_rate": (0.6, 0.7), "kl": (0.05, 0.06), "clean": (1, 1), "gap": (0.2, 0.3),
        },
    },
}  # fmt: skip


def measured(figures: Figures) -> dict[str, Measured]:
    return {
        name: Measured(value=(low + high) / 2, low=low, high=high, n=100)
        for name, (low, high) in figures.items()
    }


def artifact(kind: str, number: int) -> Artifact:
    return Artifact(kind=kind, sha256=f"sha256:{number:064x}", size=number)


class Story:
    """A run that is led to wherever a test wants it."""

    def __init__(
        self,
        pipeline: str = "srl_rlvr",
        *before: Event,
        profile: dict[str, Any] | None = None,
        dataset: str | None = None,
    ) -> None:
        role = RoleDefined.model_validate({"role": "sums", "profile": PROFILE | (profile or {})})
        self.history: History = given(TRAINER, role, *before)
        self.pipeline = pipeline
        wanted = TrainingRequested(
            role="sums", pipeline=pipeline, base="tiny", seed=7, dataset=dataset
        )
        self.said = list(self.history.tell(wanted))
        started = self.said[0]
        assert isinstance(started, RunStarted)
        self.run = started.run
        self._made = 0

    @property
    def state(self) -> Any:
        return self.history.state.runs[self.run]

    def data(self) -> list[Event]:
        """The data generator has made what it was asked for."""
        cause = self.state.request
        self.history.state = TRAINER.evolve(
            self.history.state,
            fact_of(example(DataBegun, dataset="d1", run=self.run), "begun", cause),
        )
        accepted = example(DatasetAccepted, dataset="d1", run=self.run, role="sums", count=400)
        return list(self.history.tell(accepted))

    def done(
        self, figures: Figures | None = None, *kinds_: str, key: str = "", **more: Any
    ) -> list[Event]:
        """The present stage has come to its end, with these figures or good ones."""
        good = GOOD[self.pipeline][self.state.stage]
        self._made += 1
        return list(
            self.history.tell(
                StageCompleted(
                    run=self.run,
                    stage=self.state.stage,
                    attempt=self.state.attempt,
                    metrics=measured(good if figures is None else {**good, **figures}),
                    artifacts=tuple(artifact(kind, self._made) for kind in kinds_),
                    key=key,
                    **{"seconds": 1.0, **more},
                )
            )
        )

    def broke(self, kind: str, retryable: bool = True) -> list[Event]:
        failed = StageFailed(
            run=self.run, stage=self.state.stage, attempt=self.state.attempt,
            kind=kind, reason=f"it was {kind}", retryable=retryable,
        )  # fmt: skip
        return list(self.history.tell(failed))

    def until(self, stage: str) -> Story:
        """On, with good figures, until this stage is asked for."""
        while self.state.stage != stage:
            one = PIPELINES[self.pipeline].stage(self.state.stage)
            if one.asks == "data":
                self.data()
            else:
                self.done(None, *(("policy",) if self.state.stage in POLICIES else ()))
        return self


def example(kind: type[Any], /, **changes: Any) -> Any:
    """The class's own example, with other values."""
    return kind.model_validate_json(json.dumps(kind.example | changes))


POLICIES = ("srl", "rlvr", "prepare", "optimise", "iterate")


def fact_of(event: Event, event_id: str, cause: str) -> Fact:
    return Fact(event, event_id, 999, "2026-11-21T03:00:00.000000Z", "agent:data_generator", cause)


def only(said: list[Event], kind: type[Any]) -> Any:
    (found,) = [one for one in said if isinstance(one, kind)]
    return found
