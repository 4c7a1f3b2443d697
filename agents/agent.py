"""The shape of an agent: a pure fold of history, and a pure decision on its newest fact.

An agent reads the log in order from its first event. `evolve` takes a fact in; `decide`, told the
state that has already taken it in, says what follows. Neither knows a clock, a network or a store,
so what was decided once is decided again, word for word, by anyone who has the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from events.fact import Fact, decided
from events.ids import derived_ids
from events.message import Event

S = TypeVar("S")


@dataclass(frozen=True)
class Agent(Generic[S]):
    """A profession."""

    name: str
    version: str
    """Changed with `evolve` and `decide`, so that an audit can tell a difference from drift."""
    initial: S
    hears: frozenset[str]
    """Wire names of the events that it takes in; all others pass it by."""
    evolve: Callable[[S, Fact], S]
    decide: Callable[[S, Fact], Sequence[Event]]
    under: Callable[[S, Any], S] | None = None
    """The state with another policy in it, for what-if."""

    @cached_property
    def actor(self) -> str:
        """As whom it speaks in the log."""
        return f"agent:{self.name}"

    @cached_property
    def checkpoint(self) -> str:
        """Under which name its place in the log is kept."""
        return f"agent/{self.name}"

    def decision_ids(self, cause_id: str, many: int) -> list[str]:
        """The ids of the decisions that it takes on a cause: the same in every process."""
        return derived_ids(many, "decision", self.name, cause_id)

    def takes_in(self, told: Fact) -> bool:
        """Whether it evolves on this fact where it stands; its own decisions it has folded."""
        return told.actor != self.actor

    def folded(
        self, state: S, cause: Fact, decisions: Sequence[Event], ids: Sequence[str] = ()
    ) -> S:
        """The state behind its own decisions on `cause`, which are one answer with it.

        Who has their ids at hand gives them.
        """
        ids = ids or self.decision_ids(cause.id, len(decisions))
        for event, event_id in zip(decisions, ids, strict=True):
            if event.wire in self.hears:
                state = self.evolve(state, decided(event, event_id, cause, self.actor))
        return state


def with_policy(state: Any, policy: Any) -> Any:
    """`under` of an agent whose state is a named tuple with its policy in it, as those of ours."""
    return state._replace(policy=policy)


def hears(*kinds: type[Event]) -> frozenset[str]:
    """The wire names of these events."""
    return frozenset(kind.wire for kind in kinds)
