"""A data set on its way, as its events tell it: what was asked, built, assembled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agents.data_generator import DATA_GENERATOR
from events.catalog.data import DataRequested
from events.catalog.deadlines import DeadlinePassed
from events.catalog.parts import (
    AssemblyRequested,
    DatasetAssembled,
    PartBuilt,
    PartFailed,
    PartRequested,
)
from events.catalog.policies import DataPolicy, PolicyAdopted
from events.catalog.roles import RoleDefined
from events.catalog.training import Artifact, Measured
from tests.agents.spec import History, given, kinds

PROFILE = {"name": "support", "purpose": "answers customers", "model_type": "sentiment_analysis"}
ROLE = RoleDefined.model_validate({"role": "support", "profile": PROFILE})
WANTED = DataRequested(role="support", quantity=1000, seed=7)
ROWS = Artifact(kind="rows", sha256="sha256:" + "0" * 64, size=1)


def begun(wanted: DataRequested = WANTED, **policy: Any) -> tuple[History, list[PartRequested]]:
    """A set that was asked for, and its first parts."""
    history = given(DATA_GENERATOR, PolicyAdopted(policy=DataPolicy(**policy)), ROLE)
    _, *asked = history.tell(wanted)
    return history, [one for one in asked if isinstance(one, PartRequested)]


def built(asked: PartRequested, **differing: Any) -> PartBuilt:
    return PartBuilt(
        dataset=asked.dataset,
        part=asked.part,
        attempt=asked.attempt,
        source=asked.source,
        **{
            "method": "collaboration" if asked.source == "synthetic" else asked.source,
            "rows": ROWS,
            "provenance": ROWS,
            "accepted": asked.quantity,
            "seconds": 1.0,
            **differing,
        },
    )


def broken(asked: PartRequested, **differing: Any) -> PartFailed:
    whole = {"reason": "no answer", "method": "collaboration", **differing}
    return PartFailed(
        dataset=asked.dataset,
        part=asked.part,
        attempt=asked.attempt,
        source=asked.source,
        **whole,
    )


def assembled(
    request: AssemblyRequested, count: int, quality: float = 0.98, **differing: Any
) -> DatasetAssembled:
    sources = tuple(dict.fromkeys(part.source for part in request.parts))
    whole = Measured(value=quality, low=quality, high=quality, n=count)
    validity = Measured(value=quality / 2, low=0, high=1, n=count)
    return DatasetAssembled(
        dataset=request.dataset,
        attempt=request.attempt,
        **{
            "rows": ROWS,
            "provenance": ROWS,
            "report": ROWS,
            "count": count,
            "quality": {"overall": whole, "validity": validity},
            "by_source": dict.fromkeys(sources, quality),
            "used": sources,
            "seconds": 1.0,
            **differing,
        },
    )


def all_built(history: History, asked: list[PartRequested], **differing: Any) -> AssemblyRequested:
    decisions = [history.tell(built(one, **differing)) for one in asked]
    assert all(kinds(one) == [] for one in decisions[:-1])
    request = decisions[-1][0]
    assert isinstance(request, AssemblyRequested)
    return request


def passed(history: History, dataset: str) -> DeadlinePassed:
    """The deadline that is set for it."""
    due = datetime.fromisoformat(history.state.sets[dataset].due)
    return DeadlinePassed(key=f"dataset/{dataset}", due=due)
