"""Deadlines: nothing waits for ever. An agent sets one, the clock says when it has passed."""

from typing import Annotated, Any, ClassVar

from pydantic import StringConstraints

from events.message import Event, Moment

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]{0,199}$")]


class DeadlineSet(Event, wire="DeadlineSet", stream="deadline/{key}"):
    """Something must have happened by `due`; a later one with the same key takes its place."""

    key: Key
    due: Moment

    example: ClassVar[dict[str, Any]] = {"key": "run/7f3a", "due": "2026-11-22T03:00:00Z"}


class DeadlineLifted(Event, wire="DeadlineLifted", stream="deadline/{key}"):
    """What a deadline waited for has happened."""

    key: Key

    example: ClassVar[dict[str, Any]] = {"key": "run/7f3a"}


class DeadlinePassed(Event, wire="DeadlinePassed", stream="deadline/{key}"):
    """The clock saw a deadline pass."""

    key: Key
    due: Moment

    example: ClassVar[dict[str, Any]] = {"key": "run/7f3a", "due": "2026-11-22T03:00:00Z"}
