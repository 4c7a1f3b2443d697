"""The queues of pairs that wait for people, and what was answered so far.

A queue that a run has opened is closed once the run has gone on without it: nobody is to answer
what nothing waits for.
"""

from __future__ import annotations

from events.catalog.gates import GateFailed, GatePassed, RunRolledBack
from events.catalog.hand import RunCancelled
from events.catalog.reviews import ReviewAnswered, ReviewOpened
from events.catalog.training import RunAbandoned, RunCompleted
from events.fact import Fact
from events.projection import Projection, State

_KINDS = (
    ReviewOpened, ReviewAnswered, GatePassed, GateFailed, RunRolledBack, RunCompleted,
    RunAbandoned, RunCancelled,
)  # fmt: skip
TRAINER = "agent:trainer"


def _apply(state: State, told: Fact) -> None:
    match told.event:
        case ReviewOpened() as opened if opened.review not in state:
            ours = told.actor == TRAINER
            state[opened.review] = {
                "review": opened.review,
                "role": opened.role,
                "items": opened.items.model_dump(mode="json"),
                "count": opened.count,
                "answers": {},
                "opened_at": told.recorded_at,
                "run": opened.review.partition("-")[0] if ours else None,
                "closed": False,
            }
        case ReviewAnswered() as answered if answered.review in state:
            row = state[answered.review]
            for one in answered.answers:
                if one.item <= row["count"]:
                    row["answers"][str(one.item)] = one.choice
        case (
            GatePassed(run=run, stage=stage, attempt=attempt)
            | GateFailed(run=run, stage=stage, attempt=attempt)
        ):
            row = state.get(f"{run}-{stage}-{attempt}")
            if row is not None and row["run"] == run:
                row["closed"] = True
        case (
            RunCompleted(run=run)
            | RunAbandoned(run=run)
            | RunCancelled(run=run)
            | RunRolledBack(run=run)
        ):
            for row in state.values():
                row["closed"] = row["closed"] or row["run"] == run


REVIEWS = Projection("reviews", "2", frozenset(kind.wire for kind in _KINDS), _apply)
