"""The sessions as people see them: who takes part, what was said in each round, the result."""

from __future__ import annotations

from typing import Any

from events.catalog.learnings import (
    CollaborationAbandoned,
    CollaborationBegun,
    CollaborationConcluded,
    ContributionMade,
    ContributionRefused,
    ContributionTaken,
    RoundOpened,
)
from events.envelope import format_time
from events.fact import Fact
from events.projection import Projection, State

_KINDS = (
    CollaborationBegun, RoundOpened, ContributionMade, ContributionTaken, ContributionRefused,
    CollaborationConcluded, CollaborationAbandoned,
)  # fmt: skip


def _apply(state: State, told: Fact) -> None:
    event = told.event
    if isinstance(event, CollaborationBegun):
        state[event.collaboration] = {
            **event.model_dump(mode="json"),
            "status": "under way",
            "begun_at": told.recorded_at,
            "round": 0,
            "due": None,
            "said": [],
            "offered": {},
            "result": None,
            "reason": "",
        }
        return
    row = state.get(getattr(event, "collaboration", ""))
    if row is None:
        return
    match event:
        case RoundOpened(round=number, due=due):
            row.update(round=number, due=format_time(due))
        case ContributionMade():
            row["offered"][told.id] = _said(event, told)
        case ContributionTaken() if told.cause_id in row["offered"]:
            row["said"].append(row["offered"].pop(told.cause_id))
        case ContributionRefused():
            row["offered"].pop(told.cause_id, None)
        case CollaborationConcluded():
            shown = event.model_dump(mode="json", exclude={"collaboration", "rounds", "aggregate"})
            row.update(status="concluded", due=None, result=shown)
        case CollaborationAbandoned(reason=reason):
            row.update(status="abandoned", due=None, reason=reason)


def _said(event: ContributionMade, told: Fact) -> dict[str, Any]:
    shown = event.model_dump(mode="json", exclude={"collaboration", "learnings"})
    return {**shown, "at": told.recorded_at, "event_id": told.id}


COLLABORATIONS = Projection("collaborations", "1", frozenset(one.wire for one in _KINDS), _apply)
