"""The queues of pairs that wait for people, and what was answered so far."""

from __future__ import annotations

from events.catalog.reviews import ReviewAnswered, ReviewOpened
from events.fact import Fact
from events.projection import Projection, State

_KINDS = (ReviewOpened, ReviewAnswered)


def _apply(state: State, told: Fact) -> None:
    match told.event:
        case ReviewOpened() as opened if opened.review not in state:
            state[opened.review] = {
                "review": opened.review,
                "role": opened.role,
                "items": opened.items.model_dump(mode="json"),
                "count": opened.count,
                "answers": {},
                "opened_at": told.recorded_at,
            }
        case ReviewAnswered() as answered if answered.review in state:
            row = state[answered.review]
            for one in answered.answers:
                if one.item <= row["count"]:
                    row["answers"][str(one.item)] = one.choice


REVIEWS = Projection("reviews", "1", frozenset(kind.wire for kind in _KINDS), _apply)
