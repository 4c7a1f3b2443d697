"""Events: the facts of which every history is made.

The class line holds what the system must know about a kind of event: its wire name (given once,
by hand, never reused), its schema version, who may publish it, in which stream it lies, who answers
it where it is a request, and which field names the person where it speaks of one. Rename the class
or move it: old history still reads.
"""

from __future__ import annotations

from datetime import UTC, datetime
from string import Formatter
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from events.personal import misplaced, personal_fields

Publisher = Literal["anyone", "worker", "agent", "operator"]
Answerer = Literal["agent", "worker"]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
"""A short name that is safe in streams, subjects and file names."""


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC it lies outside of the years 1 to 9999") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time, kept in UTC."""

_named: dict[str, type[Event]] = {}


class BrokenEvent(TypeError):
    """An event class whose class line would make history ambiguous; raised when it is defined."""


class Value(BaseModel):
    """A frozen value that travels inside events. Unknown fields are errors, types are strict."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )


class Event(Value):
    """A fact, in the past tense: nobody can refuse it, anybody may react."""

    wire: ClassVar[str] = ""
    schema_version: ClassVar[int] = 1
    publisher: ClassVar[Publisher] = "agent"
    refusal: ClassVar[bool] = False
    """A decision that says no to its cause."""
    opens: ClassVar[bool] = False
    """A request that waits for a worker."""
    outcome: ClassVar[bool] = False
    """A worker's answer, admitted under the lease of its request only."""
    withdraws: ClassVar[str] = ""
    """The field that names a request which nobody needs to answer any more."""
    sealed_for: ClassVar[str] = ""
    """The field that names the person whom the personal fields are about."""
    personal: ClassVar[tuple[str, ...]] = ()
    """The fields that lie in the log sealed; that of the subject is one of them."""
    forgets: ClassVar[bool] = False
    """With it the key of its subject is deleted."""
    example: ClassVar[dict[str, Any]] = {}
    _stream: ClassVar[tuple[tuple[str, str | None], ...]] = ()
    _place: ClassVar[str] = ""
    """The same as a format of the event itself."""

    def __init_subclass__(
        cls,
        *,
        wire: str = "",
        version: int = 1,
        by: Publisher = "agent",
        stream: str = "",
        refusal: bool = False,
        withdraws: str = "",
        subject: str = "",
        forgets: bool = False,
        **config: Any,
    ) -> None:
        super().__init_subclass__(**config)
        if not wire:
            return
        if wire in _named and _named[wire].__qualname__ != cls.__qualname__:
            raise BrokenEvent(f"{wire!r} already means {_named[wire].__qualname__}")
        if not stream:
            raise BrokenEvent(f"{wire!r} names no stream, for instance stream='run/{{run}}'")
        cls.wire, cls.schema_version, cls.publisher = wire, version, by
        cls.refusal, cls.withdraws = refusal, withdraws
        cls.sealed_for, cls.forgets = subject, forgets
        cls._stream = tuple((text, field) for text, field, _, _ in Formatter().parse(stream))
        cls._place = "".join(
            text.replace("{", "{{").replace("}", "}}") + ("" if field is None else f"{{0.{field}}}")
            for text, field in cls._stream
        )
        _named[wire] = cls

    @classmethod
    def __pydantic_init_subclass__(cls, **config: Any) -> None:
        super().__pydantic_init_subclass__(**config)
        for _, field in cls._stream:
            if field is not None and field.split(".")[0] not in cls.model_fields:
                raise BrokenEvent(f"{cls.wire!r} has no field {field!r} to name its stream by")
        cls.personal = personal_fields(cls)
        wrong = misplaced(cls)
        if wrong:
            raise BrokenEvent(
                f"{cls.wire!r} marks {wrong!r} as personal where it protects nothing; right is a "
                "text of the event itself: Annotated[str, ..., Personal], the mark at the end"
            )
        if cls.wire and (cls.personal or cls.sealed_for or cls.forgets):
            cls._check_personal()

    @classmethod
    def _check_personal(cls) -> None:
        field = cls.model_fields.get(cls.sealed_for)
        if field is None or field.annotation is not str or cls.sealed_for not in cls.personal:
            raise BrokenEvent(
                f"{cls.wire!r} has personal fields, but its class line names none of them as the "
                "subject, for instance subject='subject'"
            )
        if cls.publisher == "agent":
            raise BrokenEvent(f"{cls.wire!r} is an agent's, and agents see no personal texts")
        named = {field.split(".")[0] for _, field in cls._stream if field} | {cls.withdraws}
        if open_ones := sorted(named & set(cls.personal)):
            raise BrokenEvent(
                f"{cls.wire!r} would show {open_ones[0]!r}, a personal field, in the name of its "
                "stream or of a request"
            )

    def written(self) -> str:
        """As it stands in the log: `model_dump_json` without a look at its many options."""
        return self.__pydantic_serializer__.to_json(self).decode()

    @property
    def says_no(self) -> bool:
        """Whether who has waited for it hears that what was asked about is bad."""
        return self.refusal

    def stream(self) -> str:
        """The stream in which this event lies."""
        return self._place.format(self)


class Request(Event):
    """The fact that somebody asked. An agent answers by a decision, a worker under a lease."""

    answered_by: ClassVar[Answerer] = "agent"
    settled_by: ClassVar[tuple[str, ...]] = ()
    """The events that end what it began, where its first answer does not."""
    begins: ClassVar[str] = ""
    """The field in which its first answer and those events name what it began: a person's word or a
    deadline on the way is the beginning of another chain."""

    def __init_subclass__(
        cls,
        *,
        answered_by: Answerer = "agent",
        settled_by: tuple[str, ...] = (),
        begins: str = "",
        **config: Any,
    ) -> None:
        cls.answered_by, cls.opens = answered_by, answered_by == "worker"
        cls.settled_by, cls.begins = settled_by, begins
        super().__init_subclass__(**config)


class Outcome(Event):
    """What came of a request that a worker was granted; its cause is the request."""

    outcome: ClassVar[bool] = True


def event_class(wire: str) -> type[Event] | None:
    """The class that bears this name today."""
    return _named.get(wire)


def event_classes() -> dict[str, type[Event]]:
    """All of them, by wire name, sorted."""
    return dict(sorted(_named.items()))
