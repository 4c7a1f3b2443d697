"""Agents at work: which version began where, and a human's hand on each of them."""

from typing import Any, ClassVar

from pydantic import Field

from events.message import Event, Name


class AgentStarted(Event, wire="AgentStarted", stream="agent/{agent}"):
    """An agent of this version answers what stands at `from_position` and after it."""

    agent: Name
    version: str
    from_position: int = Field(ge=1)

    example: ClassVar[dict[str, Any]] = {"agent": "trainer", "version": "1", "from_position": 1}


class AgentPaused(Event, wire="AgentPaused", by="anyone", stream="agent/{agent}"):
    """A human stopped an agent; what happens meanwhile waits for it."""

    agent: Name
    reason: str = Field(default="", max_length=1000)

    example: ClassVar[dict[str, Any]] = {"agent": "trainer", "reason": "maintenance tonight"}


class AgentResumed(Event, wire="AgentResumed", by="anyone", stream="agent/{agent}"):
    """A human let an agent go on, from where it stopped."""

    agent: Name

    example: ClassVar[dict[str, Any]] = {"agent": "trainer"}
