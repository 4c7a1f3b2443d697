"""One session: some problems, what three models made of them, and what was said on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agents.data_generator.collaboration.checks import Checked
from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.plan import Plan
from agents.data_generator.collaboration.turn import Turn
from guardrails.caller import Caller
from trainers.model_types.kind import Problem


class Verified(NamedTuple):
    """A solved problem, as a row of training data."""

    row: dict[str, Any]
    score: float
    cites: tuple[str, ...]
    """The events whose knowledge the teacher was shown."""


class Rejected(NamedTuple):
    """A problem without a solution that may be trained on."""

    prompt: str
    reason: str
    """Its kind, as it is counted."""
    issues: tuple[str, ...]
    """What was wrong in the end."""
    transport: bool = False
    """No model answered at all: nothing is known of the problem."""


Result = Verified | Rejected


class Said(NamedTuple):
    """What one node was given, and what it gave."""

    node: str
    attempt: int
    input: Any
    output: Any

    def line(self, session: str) -> dict[str, Any]:
        return {"session": session, **self._asdict()}


@dataclass
class Session:
    """What the nodes of one run of the graph work with; its state alone is theirs to change."""

    name: str
    problems: tuple[Problem, ...]
    plan: Plan
    caller: Caller
    journal: Journal
    turn: Turn
    engines: dict[str, Any]
    """What rules engines have said, shared by the sessions of a part."""
    checks: dict[int, Checked] = field(default_factory=dict)
    """Of each problem's last solution; verifying may take a process, so it is done once."""
    said: list[Said] = field(default_factory=list)

    def keep(self, node: str, attempt: int, given: Any, gave: Any) -> None:
        """Write down what a node was given and gave."""
        self.said.append(Said(node, attempt, given, gave))


class Ended(NamedTuple):
    """A session that is over."""

    place: int
    """Among the sessions of its part."""
    session: str
    results: tuple[Result, ...]
    said: tuple[Said, ...]
