"""What a source is: asked for rows, it gives those it has, with where each of them comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from events.catalog.costs import Spent
from events.catalog.parts import PartRequested
from events.catalog.roles import RoleProfile
from events.errors import RatchetError
from guardrails.budget import Budget
from trainers.model_types.kind import ModelType

Row = dict[str, Any]

METHODS = {
    "synthetic": "collaboration",
    "real": "feedback",
    "subscriptions": "subscriptions",
    "web": "web",
    "collaborative": "collaborative",
    "people": "review",
}
"""How each source makes its rows; methods are rated over time."""


class SourceFailed(RatchetError):
    """A source could not build what it was asked for."""

    exit_code = 4

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        right: str = "",
        retryable: bool = True,
        spent: Spent | None = None,
    ) -> None:
        super().__init__(what, where=where, right=right)
        self.retryable = retryable
        """Trying again may help."""
        self.spent = spent or Spent()
        """What it has cost all the same."""


@dataclass(frozen=True)
class Order:
    """What a source is asked for, and all that it may want to know for it."""

    asked: PartRequested
    position: int
    """Of the request in the log: what came later is not looked at, so that it may be asked again.
    """
    type: ModelType
    profile: RoleProfile | None
    folder: Path
    """Where what must survive a crash is kept; it is this part's own."""
    tell: Callable[[dict[str, Any]], None]
    """Progress."""

    def budget(self, spent: Mapping[str, float]) -> Budget:
        """What calls of models may cost, where an earlier try has spent so much of it."""
        limits = self.asked.limits
        return Budget(money=limits.money, tokens=limits.tokens, seconds=limits.seconds, spent=spent)


class Built(NamedTuple):
    """What a source gives. Rows hold no ids and no times; beside each lies its provenance."""

    rows: list[Row]
    provenance: list[Row]
    rejected: Mapping[str, int]
    """How many were refused, by reason."""
    more: bool
    """Whether it could have given more."""
    spent: Spent = Spent()
    transcripts: Path | None = None
    """A file of JSON lines with what models were told and answered."""


class Source(Protocol):
    """One of them; its name stands among `METHODS`."""

    @property
    def name(self) -> str: ...

    async def build(self, order: Order) -> Built:
        """The rows from `first` on, `quantity` at most; `SourceFailed` where there is no way."""
