"""What pairs are to be made, by whom, and who scores them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.session import Said
from events.catalog.data import Scorer
from events.errors import Malformed
from guardrails.budget import Budget
from guardrails.caller import Caller
from guardrails.endpoint import Endpoint
from trainers.model_types.kind import ModelType

TEMPERATURES = (0.2, 0.7, 1.0, 1.2)
"""Of the answers to one prompt, in turn: the first is careful, the last is daring."""


class Writers(NamedTuple):
    """Who writes answers and who judges them, and the way to both."""

    writer: Endpoint
    judge: Endpoint
    caller: Caller
    told: bool = True
    """Whether the writer is told what its task is. A policy is given the prompt alone."""


@dataclass(frozen=True)
class Plan:
    """One part of a set of pairs, as it is to be made."""

    dataset: str
    part: int
    type: ModelType
    quantity: int
    """Pairs that are wanted."""
    seed: int
    """Of the prompts, and of what the models are asked."""
    writer: Endpoint
    judge: Endpoint
    """Another model than the writer: nobody marks his own work."""
    budget: Budget
    told: bool = True
    scorer: Scorer | None = None
    """Left out, the type's verifier where it decides, else the judge."""
    answers: int = 4
    """To each prompt."""
    difficulty: float = 0.5
    first: int = 0
    """Prompts before the first of this part; parts that share a seed share no prompt."""
    prompts: int = 1
    """How many are tried at most."""
    in_flight: int = 25
    """Prompts at the same time."""
    purpose: str = ""
    rules: tuple[str, ...] = ()
    focus: tuple[str, ...] = ()
    licence: str = "generated"
    max_tokens: int = 1024
    """Of one answer."""

    def __post_init__(self) -> None:
        one, other = self.writer, self.judge
        if (one.url, one.model) == (other.url, other.model):
            raise Malformed(
                f"the writer {one.model!r} would judge its own answers",
                where=f"dataset {self.dataset}, part {self.part}",
                right="a judge with another model, or at another endpoint",
            )

    def name(self, index: int) -> str:
        """Of a prompt: the same in every process, and after every death."""
        return f"{self.dataset}/{self.part}/{index}"


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
