"""Training: who asked for it, the runs that follow, and the stages that workers carry out."""

from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from events.catalog.changes import Change
from events.catalog.costs import Limits, Spent
from events.message import Event, Moment, Name, Outcome, Request, Value

Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Base = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^\S+$")]
Key = Annotated[str, StringConstraints(pattern=r"^[ab]{0,10000}$")]

MOST_GUARDED = 1000
"""Evaluation sets that data is searched for: they all stand in one event. Where more than these are
registered nothing is made or trained, since some of it could not be searched."""

_RUN = {"run": "7f3a"}
_STAGE = {**_RUN, "stage": "train", "attempt": 1}


class Measured(Value):
    """A figure with the interval in which the truth lies and the number of items behind it."""

    value: float
    low: float
    high: float
    n: int = Field(ge=0)


class Artifact(Value):
    """A large thing that an event refers to: what it is, its hash, its size in bytes."""

    kind: Name
    sha256: Sha256
    size: int = Field(ge=0)


class TrainingRequested(
    Request, wire="TrainingRequested", by="anyone", stream="role/{role}", answered_by="agent"
):
    """Somebody wants a better model for a role."""

    role: Name
    pipeline: Name
    base: Base
    """The model to begin from: `tiny` (one is made), a registered model as `role/v2`, as `sha256:`
    and the first digits of its hash, or by the name under which it was added; else the path of a
    folder, or a hub id. Where a pipeline distills, the teacher."""
    students: Annotated[tuple[Base, ...], Field(max_length=2)] = ()
    """Where a pipeline distills: who learns, the larger first, each named as a base is. One that is
    not named is cut out of the teacher."""
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    dataset: Name | None = None
    """A data set of the role, accepted or imported, in the place of one that the run would make."""

    example: ClassVar[dict[str, Any]] = {"role": "support", "pipeline": "srl_rlvr", "base": "tiny"}


class TrainingRejected(Event, wire="TrainingRejected", stream="role/{role}", refusal=True):
    """A training was not begun."""

    role: Name
    reason: Reason

    example: ClassVar[dict[str, Any]] = {"role": "suport", "reason": "no role is named 'suport'"}


class RunStarted(Event, wire="RunStarted", stream="run/{run}"):
    """A passage through a pipeline began."""

    run: Name
    role: Name
    model_type: str = Field(min_length=1, max_length=500)
    pipeline: Name
    base: Base
    stages: tuple[Name, ...]
    seed: int
    due: Moment | None = None
    """When it is given up, whatever it has made by then."""
    limits: Limits = Limits()
    """What calls of models may cost in all of it, as the role and the policy said then."""
    dataset: Name | None = None
    """The data set that it was given; else it makes its own."""
    students: Annotated[tuple[Base, ...], Field(max_length=2)] = ()
    known: Annotated[tuple[Artifact, ...], Field(max_length=3)] = ()
    """The registered models that base and students name: `base.given`, `student.1`..."""

    example: ClassVar[dict[str, Any]] = {
        **_RUN,
        "role": "support",
        "model_type": "support_replies",
        "pipeline": "srl_rlvr",
        "base": "tiny",
        "stages": ["data", "srl"],
        "seed": 7,
    }


class StageRequested(Request, wire="StageRequested", stream="run/{run}", answered_by="worker"):
    """A stage is to be carried out."""

    run: Name
    stage: Name
    attempt: int = Field(ge=1)
    pipeline: Name
    role: Name
    model_type: str = Field(min_length=1, max_length=500)
    base: Base
    seed: int
    changes: tuple[Change, ...] = Field(default=(), max_length=200)
    """What the policy and then remedies have changed of this stage's settings, in their order."""
    inputs: tuple[Artifact, ...] = Field(default=(), max_length=200)
    """What the stages before it have made."""
    students: Annotated[tuple[Base, ...], Field(max_length=2)] = ()
    guarded: Annotated[tuple[Artifact, ...], Field(max_length=MOST_GUARDED)] = ()
    """Registered evaluation sets, which nothing that is learned may have in it."""

    example: ClassVar[dict[str, Any]] = {
        **_STAGE,
        "pipeline": "srl_rlvr",
        "role": "support",
        "model_type": "support_replies",
        "base": "tiny",
        "seed": 7,
    }


class StageCompleted(Outcome, wire="StageCompleted", by="worker", stream="run/{run}"):
    """A stage came to its end."""

    run: Name
    stage: Name
    attempt: int = Field(ge=1)
    seconds: float = Field(ge=0)
    metrics: dict[Name, Measured] = Field(default_factory=dict, max_length=1000)
    artifacts: tuple[Artifact, ...] = ()
    key: Key = ""
    """Of an artifact `review`: which of the two answers is the new policy's, item by item."""
    spent: Spent = Spent()
    """What calls of models have cost."""

    example: ClassVar[dict[str, Any]] = {**_STAGE, "seconds": 12.5}


class StageFailed(Outcome, wire="StageFailed", by="worker", stream="run/{run}"):
    """A stage could not be carried out."""

    run: Name
    stage: Name
    attempt: int = Field(ge=1)
    kind: Name = "defect"
    """The kind of failure, by which remedies are found: unstable, no_memory, not_ready."""
    reason: Reason
    retryable: bool = True
    """Trying again may help."""
    spent: Spent = Spent()
    """What calls of models have cost all the same."""

    example: ClassVar[dict[str, Any]] = {
        **_STAGE,
        "kind": "no_memory",
        "reason": "not even one sample fits",
    }


class RequestWithdrawn(Event, wire="RequestWithdrawn", stream="run/{run}", withdraws="request"):
    """Nobody needs to carry out this stage any more."""

    run: Name
    request: str
    """The event id of the request."""
    reason: Reason

    example: ClassVar[dict[str, Any]] = {**_RUN, "request": "0199", "reason": "cancelled"}


class RunCompleted(Event, wire="RunCompleted", stream="run/{run}"):
    """A run passed all its stages."""

    run: Name

    example: ClassVar[dict[str, Any]] = _RUN


class RunAbandoned(Event, wire="RunAbandoned", stream="run/{run}"):
    """A run was given up."""

    run: Name
    reason: Reason

    example: ClassVar[dict[str, Any]] = {**_RUN, "reason": "stage 'train' failed 3 times"}
