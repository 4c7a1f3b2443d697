"""A human's hand on a run: what was asked, and what the trainer answered."""

from typing import Any, ClassVar

from pydantic import Field

from events.catalog.training import Reason
from events.message import Event, Name, Request

_RUN = {"run": "7f3a"}


class PauseRequested(Request, wire="PauseRequested", by="anyone", stream="run/{run}"):
    """Somebody wants a run to stop for a while."""

    run: Name
    reason: str = Field(default="", max_length=1000)

    example: ClassVar[dict[str, Any]] = _RUN


class ResumeRequested(Request, wire="ResumeRequested", by="anyone", stream="run/{run}"):
    """Somebody wants a paused run to go on."""

    run: Name

    example: ClassVar[dict[str, Any]] = _RUN


class HoldRequested(Request, wire="HoldRequested", by="anyone", stream="run/{run}"):
    """Somebody wants to look at a run before it goes past its present stage."""

    run: Name
    reason: str = Field(default="", max_length=1000)

    example: ClassVar[dict[str, Any]] = _RUN


class ApprovalGiven(Request, wire="ApprovalGiven", by="anyone", stream="run/{run}"):
    """Somebody looked at a held run and lets it go on."""

    run: Name
    note: str = Field(default="", max_length=1000)

    example: ClassVar[dict[str, Any]] = _RUN


class CancelRequested(Request, wire="CancelRequested", by="anyone", stream="run/{run}"):
    """Somebody wants a run to end here."""

    run: Name
    reason: str = Field(default="", max_length=1000)

    example: ClassVar[dict[str, Any]] = _RUN


class RollbackRequested(Request, wire="RollbackRequested", by="anyone", stream="run/{run}"):
    """Somebody wants a run to be again where it was behind an earlier stage."""

    run: Name
    stage: Name
    reason: str = Field(default="", max_length=1000)

    example: ClassVar[dict[str, Any]] = {**_RUN, "stage": "srl"}


class RunPaused(Event, wire="RunPaused", stream="run/{run}"):
    """A run stands still; its open stage was withdrawn and is asked for again on resuming."""

    run: Name

    example: ClassVar[dict[str, Any]] = _RUN


class RunResumed(Event, wire="RunResumed", stream="run/{run}"):
    """A paused run goes on."""

    run: Name

    example: ClassVar[dict[str, Any]] = _RUN


class RunHeld(Event, wire="RunHeld", stream="run/{run}"):
    """A run will not go past its present stage before somebody approves."""

    run: Name

    example: ClassVar[dict[str, Any]] = _RUN


class RunApproved(Event, wire="RunApproved", stream="run/{run}"):
    """A held run may go on."""

    run: Name

    example: ClassVar[dict[str, Any]] = _RUN


class RunCancelled(Event, wire="RunCancelled", stream="run/{run}"):
    """A run was ended by a human."""

    run: Name
    reason: str = Field(default="", max_length=1000)

    example: ClassVar[dict[str, Any]] = _RUN


class HandRefused(Event, wire="HandRefused", stream="run/{run}", refusal=True):
    """What a human asked of a run cannot be done."""

    run: Name
    asked: Name
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        **_RUN,
        "asked": "ResumeRequested",
        "reason": "the run is not paused",
    }
