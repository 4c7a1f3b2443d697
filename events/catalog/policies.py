"""Policies: the rules an agent decides by. They are history, so that a replay knows them."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from events.message import Event, Value


class SchedulerPolicy(Value):
    """How the scheduler treats slots that were missed."""

    agent: Literal["scheduler"] = "scheduler"
    max_catch_up: int = Field(default=1000, ge=1, le=10_000)
    """Under the misfire policy `all`, at most so many missed slots are made up for at once."""


class TrainerPolicy(Value):
    """How the trainer leads a run."""

    agent: Literal["trainer"] = "trainer"
    max_attempts: int = Field(default=3, ge=1, le=100)
    """So often a stage is tried before the run is abandoned."""
    stage_hours: float = Field(default=24.0, gt=0, le=10_000)
    """A stage that has no outcome after so long is withdrawn and tried again."""
    open_runs_per_role: int = Field(default=100, ge=1, le=1000)
    """More runs of one role than this are not begun at the same time."""


Policy = Annotated[SchedulerPolicy | TrainerPolicy, Field(discriminator="agent")]

POLICIES: dict[str, type[SchedulerPolicy] | type[TrainerPolicy]] = {
    "scheduler": SchedulerPolicy,
    "trainer": TrainerPolicy,
}


class PolicyAdopted(Event, wire="PolicyAdopted", by="anyone", stream="policy/{policy.agent}"):
    """From here on an agent decides by this policy."""

    policy: Policy

    example: ClassVar[dict[str, Any]] = {"policy": {"agent": "trainer", "max_attempts": 2}}
