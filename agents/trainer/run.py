"""A run under way, as its facts tell it: what it has made, what was tried, where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from events.catalog.changes import Change
from events.catalog.costs import Limits, Spent
from events.catalog.reviews import Choice
from events.catalog.training import Artifact, Measured
from pipelines.summary import score

POLICY = "policy"
"""What an artifact is that holds the model which a run is about."""


class Passed(NamedTuple):
    """A stage whose gate held, and what it made."""

    stage: str
    attempt: int
    artifacts: tuple[Artifact, ...]
    score: float | None
    """Of the policy among them, on held-out items."""


class Run(NamedTuple):
    """A run under way. What has ended is forgotten here; the log and the projection know it."""

    id: str
    role: str
    pipeline: str
    stages: tuple[str, ...]
    model_type: str = ""
    base: str = ""
    seed: int = 0
    due: datetime | None = None
    """When it is given up."""
    students: tuple[str, ...] = ()
    known: tuple[Artifact, ...] = ()
    """The registered models that base and students name."""
    limits: Limits = Limits()
    """What calls of models may cost in all of it."""
    given: str = ""
    """The data set that it was given; it makes none."""
    rows: Artifact | None = None
    """What is in it."""
    stage: str = ""
    attempt: int = 0
    """How often the present stage was asked for in this run."""
    attempts: Mapping[str, int] = {}
    """The same of all stages."""
    tries: int = 0
    """How often in a row it was asked for without a remedy."""
    request: str = ""
    """The open request, or nothing."""
    until: datetime | None = None
    """When what it waits for is not waited for any more."""
    dataset: str = ""
    """The data set that is being made for it."""
    answered: str = ""
    """The fact that ended the present request."""
    metrics: Mapping[str, Measured] = {}
    """What the present stage has measured, once it is done."""
    seconds: float = 0.0
    """How long it took."""
    made: tuple[Artifact, ...] = ()
    """What it has made; the run's own only once its gate has held."""
    key: str = ""
    """Of what people may compare: which of two answers is the new policy's, item by item."""
    review: str = ""
    """The queue in which people are asked, or nothing."""
    answers: Mapping[int, Choice] = {}
    """What they said so far, by item."""
    closed: bool = False
    """Their time is up."""
    passed: tuple[Passed, ...] = ()
    """Stages whose gates held, in the order of the walk."""
    changes: tuple[Change, ...] = ()
    used: Mapping[str, int] = {}
    """How often each remedy was tried, by stage and name."""
    rounds: int = 0
    """How often the present stage was repeated because it helped."""
    finished: bool = False
    """The present stage is done; what follows has not been asked for."""
    failed: str = ""
    """Why the present attempt failed."""
    kind: str = ""
    """And of what kind that was."""
    retryable: bool = True
    paused: bool = False
    held: bool = False
    spent: Spent = Spent()
    """What calls of models have cost, but for the data set in the making."""
    parts: Mapping[int, Spent] = {}
    """And what its parts have cost so far."""

    def behind(self, stage: str, attempt: int) -> Run:
        """With this stage passed, and what it has made its own."""
        found = score(self.metrics)
        one = Passed(stage, attempt, self.made, None if found is None else found.value)
        return self._replace(passed=(*self.passed, one))

    @property
    def cost(self) -> Spent:
        """What calls of models have cost in all."""
        found = self.spent
        for one in self.parts.values():
            found = both(found, one)
        return found

    def waits_for_people(self) -> bool:
        """Whether their word is still waited for."""
        return bool(self.review) and not self.closed and len(self.answers) < len(self.key)

    def inputs(self, best: bool = False) -> tuple[Artifact, ...]:
        """The latest of each kind that its stages have made; of policies, maybe the best."""
        found: dict[str, Artifact] = {one.kind: one for one in self.known}
        for one in self.passed:
            found |= {artifact.kind: artifact for artifact in one.artifacts}
        ranked = [
            (one.score, artifact)
            for one in self.passed
            for artifact in one.artifacts
            if artifact.kind == POLICY and one.score is not None
        ]
        if best and ranked:
            found[POLICY] = max(ranked, key=lambda pair: pair[0])[1]
        return tuple(found[kind] for kind in sorted(found))


def both(one: Spent, other: Spent) -> Spent:
    """What two things have cost together."""
    return Spent(
        calls=one.calls + other.calls,
        tokens=one.tokens + other.tokens,
        money=one.money + other.money,
        seconds=one.seconds + other.seconds,
    )
