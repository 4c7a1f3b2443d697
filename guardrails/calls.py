"""What is said to a model, what comes back, and what a transcript keeps of it."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from guardrails.endpoint import Rung

Role = Literal["system", "user", "assistant"]


class Message(NamedTuple):
    """One turn of a conversation."""

    role: Role
    text: str


class Answer(NamedTuple):
    """What an ask came to, all its attempts together."""

    text: str
    value: BaseModel | None
    """The answer as the class that was asked for, validated."""
    rung: Rung
    tokens_in: int
    tokens_out: int
    money: float
    seconds: float
    attempts: int
    """Calls that were made, failed ones included."""
    finish: str = "stop"
    """Why the model ended; `length` where the text was cut off."""


class Call(NamedTuple):
    """One call over the wire. It holds no key, and can be written as JSON."""

    endpoint: str
    model: str
    request: dict[str, Any]
    response: dict[str, Any] | None
    """What the server said, as far as it was readable."""
    answer: str
    error: str
    """Empty where the call went well."""
    attempt: int
    started: float
    """Seconds since 1970."""
    seconds: float
    tokens_in: int
    tokens_out: int
    money: float
