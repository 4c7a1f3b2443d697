"""Facts of verifications, as tests put them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agents.verifier import VERIFIER
from events.catalog.examinations import AreaCount, Cell, ExaminationRequested, SuiteMeasured
from events.catalog.gates import CandidateRegistered
from events.catalog.roles import RoleDefined
from events.catalog.training import Artifact, Measured
from events.catalog.verification import ModelVerified
from events.message import Event
from tests.agents.spec import History, given

ROLE = RoleDefined.model_validate(
    {"role": "sums", "profile": {"name": "sums", "purpose": "adds numbers",
                                 "model_type": "arithmetic_reasoning"}}
)  # fmt: skip
SCORE = Measured(value=0.5, low=0.4, high=0.6, n=100)


def artifact(digit: int, kind: str = "policy") -> Artifact:
    return Artifact(kind=kind, sha256=f"sha256:{digit:064x}", size=1000)


BASE, ROWS = artifact(0xBA, "base"), artifact(0xDA, "rows")


def candidate(digit: int, *made: Artifact) -> CandidateRegistered:
    return CandidateRegistered(role="sums", run=f"run{digit}", model=artifact(digit), made=made)


def history(*events: Event) -> History:
    return given(VERIFIER, ROLE, *events)


def asked(decisions: Sequence[Event]) -> ExaminationRequested:
    """The one examination among some decisions."""
    (found,) = [one for one in decisions if isinstance(one, ExaminationRequested)]
    return found


def the(decisions: Sequence[Event], kind: type[Any]) -> Any:
    (found,) = [one for one in decisions if isinstance(one, kind)]
    return found


def cells(*told: tuple[float, float, int]) -> tuple[Cell, ...]:
    return tuple(Cell(after=after, before=before, n=n) for after, before, n in told)


SAME = cells((1, 1, 300), (0, 0, 100))
WORSE = cells((1, 1, 30), (0, 1, 50), (0, 0, 40))
UNCLEAR = cells((1, 1, 60), (0, 1, 3), (0, 0, 57))


def measured(suite: str, found: tuple[Cell, ...] = (), compared: str = "baseline") -> SuiteMeasured:
    return SuiteMeasured.model_validate(
        {"suite": suite, "score": SCORE, "compared": compared if found else "",
         "other": SCORE if found else None, "cells": found}
    )  # fmt: skip


def verified(
    request: ExaminationRequested,
    *suites: SuiteMeasured,
    areas: Sequence[tuple[str, int, int]] = (),
    wrong: int = 0,
    n: int = 0,
) -> ModelVerified:
    """What a worker answers to an examination."""
    return ModelVerified(
        verification=request.verification,
        attempt=request.attempt,
        role=request.role,
        run=request.run,
        model=request.model,
        baseline=request.baseline,
        suites=suites,
        areas=tuple(AreaCount(area=area, wrong=bad, n=many) for area, bad, many in areas),
        wrong=wrong,
        n=n,
        artifacts=(artifact(0xF1, "items.fixed"),) if "fixed" in request.suites else (),
        seconds=1.0,
    )
