"""What is known of a role's candidates, and of the verification that is under way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from events.catalog.examinations import Cell
from events.catalog.training import Artifact
from pipelines.evidence.decline import Watch


class Candidate(NamedTuple):
    """A model that passed its run, and what was seen of it since."""

    run: str
    model: Artifact
    base: Artifact | None
    """Where its run began."""
    rows: Artifact | None
    """Examples that it was trained on."""
    claims: int = 0
    """Claims that were made before that of its being worse; by them goes what that one needs."""
    found: int = 0
    """And those among them that were found to be so."""
    baseline: Artifact | None = None
    """With what it is compared, from its first examination on."""
    own: tuple[Cell, ...] = ()
    """Problems of its type, beside the baseline: the fixed ones once, fresh ones of every look."""
    tasks: Mapping[str, tuple[Cell, ...]] = {}
    """Of each benchmark, whose items are always the same: the newest look."""
    before: Artifact | None = None
    """Its own answers to the fixed suite when they were first asked."""
    looks: int = 0
    """How often the fixed suite was answered again."""
    judged: bool = False
    weak: tuple[str, ...] = ()
    """The weak spots that were told last."""


class Open(NamedTuple):
    """A verification under way."""

    id: str
    model: str
    """The hash of the candidate; nothing where only examples are checked."""
    suites: tuple[str, ...]
    examples: Artifact | None = None
    attempt: int = 0
    rounds: int = 0
    """How often an answer came, and nobody could tell yet."""
    failures: int = 0
    """In a row."""
    request: str = ""
    """The open examination, or nothing."""
    answer: str = ""
    """What came of it, by its event id."""
    due: str = ""
    """When the examination is not waited for any more."""
    void: str = ""
    """Why nobody needs it any more, where the role is gone or answers other problems."""


class Standing(NamedTuple):
    """The candidates of a role, the one that stands last, and the claims that were made."""

    candidates: tuple[Candidate, ...] = ()
    claims: int = 0
    found: int = 0
    open: Open | None = None
    due: str = ""
    """When the model that stands is looked at again."""
    watch: Watch | None = None
    """Whether its models still reach what the role asks."""

    def of(self, model: str) -> Candidate | None:
        return next((one for one in self.candidates if one.model.sha256 == model), None)

    def before(self, model: str) -> Candidate | None:
        """The candidate before this one."""
        earlier = None
        for one in self.candidates:
            if one.model.sha256 == model:
                return earlier
            earlier = one
        return None

    def put(self, candidate: Candidate) -> Standing:
        return self._replace(
            candidates=tuple(
                candidate if one.model == candidate.model else one for one in self.candidates
            )
        )
