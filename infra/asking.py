"""A question to the knowledge base as it comes from outside: bounded before it is looked at."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from events.catalog.knowledge import LONGEST
from events.message import Moment, Name
from memory.search import MOST, Question

Tag = Annotated[str, Field(min_length=1, max_length=100)]


class Asked(BaseModel):
    """A question in words, and what may answer it."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    limit: Annotated[int, Field(ge=1, le=MOST)] = 10
    role: Name | None = None
    kind: Name | None = None
    tag: Annotated[list[Tag], Field(max_length=32)] = []
    at: Moment | None = None
    personal: bool = False
    """Also what is about people, for who has the scope admin."""

    def question(self) -> Question:
        """The same as the keeper takes it."""
        more = self.role, self.kind, tuple(self.tag), self.at, self.personal
        return Question(self.text, self.limit, *more)
