"""What holds a role in: rules of conduct, money and time, the entropy band, screening bounds."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from events.catalog.role_needs import Money, distinct
from events.documented import Documented
from events.message import Name
from events.suggest import contradiction

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Severity = Literal["low", "medium", "high", "critical"]
Billions = Annotated[float, Field(gt=0, le=1e6)]


class Rule(Documented):
    """A rule that every answer of the role is held to."""

    name: Name
    """Short name, under which a breach is recorded."""
    rule: Sentence
    """The rule itself, as one would tell it to a person."""
    severity: Severity = "high"
    """How bad a breach is."""
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    """An RE2 pattern that betrays a breach; without one a judge reads the answer."""


Rules = Annotated[tuple[Rule, ...], Field(max_length=64), distinct("name")]


class Safety(Documented):
    """What must not come out of the role, whoever asks."""

    rules: Rules = ()
    """Rules of safety that are the role's own."""
    blocked_categories: Annotated[tuple[Name, ...], Field(max_length=64), distinct()] = ()
    """Kinds of harmful content that are never answered, such as `violence` or `self-harm`."""
    personal_data: Literal["allow", "redact", "block"] = "redact"
    """What becomes of personal data in an answer: it stays, it is masked, or the answer is held."""


class Budget(Documented):
    """What training may take. What is left out is not bounded by the role."""

    usd_per_month: Money | None = None
    """Money for all training of the role in a month, in US dollars."""
    usd_per_run: Money | None = None
    """Money for one run, in US dollars."""
    tokens_per_run: int | None = Field(default=None, ge=0, le=10**15)
    """Tokens that teachers and judges may read and write for one run."""
    hours_per_run: float | None = Field(default=None, gt=0, le=100_000)
    """Time that one run may take, in hours."""

    @model_validator(mode="after")
    def _has_room_for_a_run(self) -> Self:
        month, run = self.usd_per_month, self.usd_per_run
        if month is not None and run is not None and run > month:
            raise contradiction(
                f"one run may cost {run:,g} dollars, but a whole month {month:,g}",
                f"at most {month:,g}",
                "usd_per_run",
            )
        return self


class EntropyBand(Documented):
    """Where the mean entropy per token has to lie while a policy is trained, in nats."""

    min: float = Field(default=0.5, ge=0, le=100)
    """Below it the policy has collapsed; a deterministic task sits far below the default."""
    max: float = Field(default=2.0, gt=0, le=100)
    """Above it the policy has come apart."""
    relative_min: float = Field(default=0.5, ge=0, le=1)
    """Smallest acceptable share of the entropy of the reference."""

    @model_validator(mode="after")
    def _is_a_band(self) -> Self:
        if self.min >= self.max:
            raise contradiction(
                f"min {self.min:g} is not below max {self.max:g}", f"below {self.max:g}", "min"
            )
        return self


class Screening(Documented):
    """Which discovered models are looked at for the role."""

    billions_min: Billions = 1.0
    """Smallest number of parameters, in billions."""
    billions_max: Billions = 1000.0
    """Largest number of parameters, in billions."""

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.billions_min > self.billions_max:
            raise contradiction(
                f"billions_min {self.billions_min:g} is above billions_max {self.billions_max:g}",
                f"at most {self.billions_max:g}",
                "billions_min",
            )
        return self

    def admits(self, parameters: int) -> bool:
        """Whether a model of this size lies within the bounds."""
        return self.billions_min <= parameters / 1e9 <= self.billions_max
