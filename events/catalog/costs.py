"""What calls of models cost, and what they may cost."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from events.message import Value

Count = Annotated[int, Field(ge=0, lt=2**53)]


class Spent(Value):
    """What calls of models have cost."""

    calls: Count = 0
    tokens: Count = 0
    money: float = Field(default=0.0, ge=0)
    """In US dollars."""
    seconds: float = Field(default=0.0, ge=0)


class Limits(Value):
    """What calls of models may cost; what is left out is not bounded here."""

    money: float | None = Field(default=None, ge=0)
    """In US dollars."""
    tokens: Count | None = None
    seconds: float | None = Field(default=None, ge=0)
