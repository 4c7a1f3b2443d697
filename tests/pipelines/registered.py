"""Histories of models, told event by event, as the trainer and the verifier tell them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import timedelta
from typing import Any

from events.catalog.data import DatasetAccepted
from events.catalog.gates import CandidateRegistered, GatePassed, RunRolledBack
from events.catalog.registry import ModelAdded
from events.catalog.training import Artifact, Measured, RunCompleted, RunStarted, StageCompleted
from events.catalog.verification import (
    CandidateWithdrawn,
    ModelVerified,
    RegressionDetected,
    VerificationJudged,
)
from events.envelope import format_time
from events.fact import Fact
from events.message import Event
from pipelines.models import MODELS
from tests.agents.spec import BEGIN
from tests.agents.trainer.story import example

STAGES = ("data", "baseline", "srl", "rlvr", "verify")


def kept(kind: str, number: int) -> Artifact:
    return Artifact(kind=kind, sha256=f"sha256:{number:064x}", size=1000 + number)


def figure(value: float) -> Measured:
    return Measured(value=value, low=value - 0.02, high=value + 0.02, n=300)


class Told:
    """A history and the registry that follows from it."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.state: dict[str, Any] = {}

    def tell(self, *events: Event) -> Told:
        for event in events:
            place = len(self.facts) + 1
            at = format_time(BEGIN + place * timedelta(minutes=1))
            self.facts.append(Fact(event, f"id-{place}", place, at, "test", None))
            if event.wire in MODELS.hears:
                MODELS.apply(self.state, self.facts[-1])
        return self

    def row(self, model: str) -> dict[str, Any]:
        found: dict[str, Any] = self.state["models"][model]
        return found


def begun(run: str, **more: Any) -> RunStarted:
    facts = {"run": run, "role": "sums", "model_type": "arithmetic_reasoning", "base": "tiny"}
    return RunStarted.model_validate(
        facts | {"pipeline": "srl_rlvr", "stages": STAGES, "seed": 7} | more
    )


def passed(
    run: str, stage: str, attempt: int = 1, policy: int = 0, **figures: float
) -> Iterator[Event]:
    made = (kept("policy", policy),) if policy else ()
    metrics = {name: figure(one) for name, one in figures.items()}
    yield StageCompleted(
        run=run, stage=stage, attempt=attempt, seconds=1.0, metrics=metrics, artifacts=made
    )
    yield GatePassed(run=run, stage=stage, attempt=attempt)


def data_for(run: str) -> DatasetAccepted:
    facts = {"run": run, "role": "sums", "dataset": f"of-{run}", "count": 400, "quality": 0.97}
    rows, provenance = kept("rows", 900), kept("provenance", 901)
    found: DatasetAccepted = example(
        DatasetAccepted,
        **facts,
        rows=rows.model_dump(mode="json"),
        provenance=provenance.model_dump(mode="json"),
    )
    return found


def registered(run: str, policy: int, role: str = "sums") -> Sequence[Event]:
    made = (kept("base", 50), kept("rows", 900), kept("provenance", 901), kept("curve.srl", 902))
    return (
        RunCompleted(run=run),
        CandidateRegistered(role=role, run=run, model=kept("policy", policy), made=made),
    )


def whole(run: str, first: int, second: int, final: float = 0.6, **more: Any) -> Iterator[Event]:
    """A run to its end, its second policy better than its first."""
    yield begun(run, **more)
    yield data_for(run)
    yield from passed(run, "srl", policy=first, sampled=0.3)
    yield from passed(run, "rlvr", policy=second, sampled=0.5)
    yield from passed(run, "verify", sampled=final, improvement=0.2, baseline=0.4)
    yield from registered(run, second, str(more.get("role", "sums")))


def verified(model: int, verdict: str, name: str = "9c41") -> Iterator[Event]:
    one = kept("policy", model).model_dump(mode="json")
    yield example(ModelVerified, role="sums", verification=name, model=one)
    yield example(VerificationJudged, role="sums", verification=name, model=one, verdict=verdict)


def worse(model: int, stands: int | None, run: str = "r2") -> Iterator[Event]:
    yield RegressionDetected(role="sums", model=kept("policy", model), reason="retention 0.6")
    yield CandidateWithdrawn(
        role="sums", run=run, model=kept("policy", model), reason="retention 0.6",
        stands=None if stands is None else kept("policy", stands),
    )  # fmt: skip


def added(name: str, number: int) -> ModelAdded:
    return ModelAdded(name=name, model=kept("base", number), licence="MIT")


def rolled_back(run: str, stage: str, attempt: int, reason: str) -> RunRolledBack:
    return RunRolledBack(run=run, stage=stage, attempt=attempt, reason=reason)


def folded(facts: Sequence[Fact], state: dict[str, Any]) -> dict[str, Any]:
    """The state as it is after these facts, the one before left as it was."""
    found = deepcopy(state)
    for one in facts:
        if one.event.wire in MODELS.hears:
            MODELS.apply(found, one)
    return found
