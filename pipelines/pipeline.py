"""A pipeline is declared, not programmed: stages in the order of the walk, gates, remedies."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.gates import Check
from pipelines.remedies import Remedy


class BrokenPipeline(ValueError):
    """A pipeline that could not be walked to its end; raised when it is built."""


@dataclass(frozen=True)
class Stage:
    """One part of the walk."""

    name: str
    does: str
    """In a sentence, for people."""
    gate: tuple[Check, ...] = ()
    """What has to hold before the walk goes on."""
    remedies: tuple[Remedy, ...] = ()
    """What is done where it does not, the first first."""
    asks: str = "stage"
    """Who carries it out: a worker of stages, or the data generator."""
    rows: int = 0
    """How many rows the data generator is asked for."""
    trend: str = ""
    """A metric by which the stage is repeated: as long as it surely grows."""
    made_of: str = "latest"
    """Which of the policies so far it is given: the latest, or the best by its held-out score."""
    people: bool = False
    """Whether people compare what its artifact of kind `review` holds, where the policy asks them.
    The conductor adds the check by itself: `people` at least 0.5."""
    takes: str = ""
    """The kind of a data set that a run may be given in the place of what this stage would make."""


@dataclass(frozen=True)
class Pipeline:
    """What a run passes through."""

    name: str
    does: str
    walk: tuple[Stage, ...]
    planned: tuple[tuple[str, str], ...] = ()
    """What people plan with: how long it takes, by the size of the undertaking."""
    smaller: bool = False
    """What it makes is smaller than what it is compared with: less of it is no regression."""

    def __post_init__(self) -> None:
        names = self.stages
        if not names:
            raise BrokenPipeline(f"{self.name}: a pipeline has at least one stage")
        if len(set(names)) < len(names):
            raise BrokenPipeline(f"{self.name}: two stages bear one name, in {names}")
        for place, stage in enumerate(self.walk):
            for remedy in stage.remedies:
                self._check(stage, remedy, names[: place + 1])

    def _check(self, stage: Stage, remedy: Remedy, before: tuple[str, ...]) -> None:
        if remedy.back_to and remedy.back_to not in before:
            raise BrokenPipeline(
                f"{self.name}: remedy {remedy.name!r} of {stage.name!r} goes on from"
                f" {remedy.back_to!r}, which does not lie before it"
            )
        for change in remedy.changes:
            if change.stage not in self.stages:
                raise BrokenPipeline(
                    f"{self.name}: remedy {remedy.name!r} changes {change.stage!r}, which is none"
                )

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of its stages."""
        return tuple(stage.name for stage in self.walk)

    @property
    def data_stage(self) -> str:
        """The stage that the data generator carries out; '' where there is none."""
        return next((stage.name for stage in self.walk if stage.asks == "data"), "")

    @property
    def taking(self) -> str:
        """The stage in whose place a run may be given a data set; '' where there is none."""
        return next((stage.name for stage in self.walk if stage.takes), "")

    def stage(self, name: str) -> Stage:
        return self.walk[self.stages.index(name)]

    def following(self, stage: str) -> str | None:
        """The stage after this one, or None behind the last."""
        rest = self.stages[self.stages.index(stage) + 1 :]
        return rest[0] if rest else None
