"""What pairs are to be made, by whom, and who scores them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.session import Said
from agents.data_generator.collaboration.task import Task
from events.catalog.data import Scorer
from guardrails.caller import Caller
from guardrails.endpoint import Endpoint

TEMPERATURES = (0.2, 0.7, 1.0, 1.2)
"""Of the answers to one prompt, in turn: the first is careful, the last is daring."""


class Writers(NamedTuple):
    """Who writes answers and who judges them, and the way to both."""

    writer: Endpoint
    judge: Endpoint
    caller: Caller
    told: bool = True
    """Whether the writer is told what its task is. A policy is given the prompt alone."""


@dataclass(frozen=True, kw_only=True)
class Plan(Task):
    """One part of a set of pairs, as it is to be made."""

    writer: Endpoint
    judge: Endpoint
    """Another model than the writer: nobody marks his own work."""
    told: bool = True
    scorer: Scorer | None = None
    """Left out, the type's verifier where it decides, else the judge."""
    answers: int = 4
    """To each prompt."""
    in_flight: int = 25
    """Prompts at the same time."""
    rules: tuple[str, ...] = ()
    max_tokens: int = 1024
    """Of one answer."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.apart(
            self.writer,
            self.judge,
            f"the writer {self.writer.model!r} would judge its own answers",
            "a judge with another model, or at another endpoint",
        )


@dataclass
class Desk:
    """What one prompt is worked at with."""

    plan: Plan
    caller: Caller
    journal: Journal
    name: str
    example: str = ""
    """A prompt with a right answer, as the writer is shown the form."""
    said: list[Said] = field(default_factory=list)
    """What models were told and answered."""

    def keep(self, node: str, attempt: int, given: object, gave: object) -> None:
        self.said.append(Said(node, attempt, given, gave))
