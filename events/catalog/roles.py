"""Roles: what models are for. A person writes a profile as a file; history holds it as an event."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

from events.catalog.json_schemas import JsonSchema, any_text
from events.catalog.role_limits import Budget, EntropyBand, Rules, Safety, Screening, Sentence
from events.catalog.role_needs import (
    AdminSystem,
    Data,
    Device,
    Load,
    Memory,
    Requirements,
    Tool,
    by_name,
    distinct,
)
from events.documented import Documented
from events.message import Event, Name
from events.suggest import contradiction

Kind = Literal["interaction", "analysis", "generation", "classification"]
Tier = Literal["gold", "silver", "bronze"]
Weight = Annotated[float, Field(gt=0, le=1e6)]


class LatencyClass(NamedTuple):
    """How fast the models of a tier answer."""

    name: str
    most_ms: float | None


LATENCY_CLASSES: dict[Tier, LatencyClass] = {
    "gold": LatencyClass("real-time", 16.0),
    "silver": LatencyClass("interactive", 250.0),
    "bronze": LatencyClass("async", None),
}
"""From the fastest to the slowest; a bound of None is none."""


def tier_of(latency_ms: float | None) -> Tier:
    """The tier to which a latency belongs; whoever bounds none can wait."""
    for tier, (_, most_ms) in LATENCY_CLASSES.items():
        if most_ms is None or (latency_ms is not None and latency_ms <= most_ms):
            return tier
    raise AssertionError("the last tier has no bound")


class RoleProfile(Documented):
    """All that is known about a role. Three fields are needed, the others have defaults."""

    name: Name
    """Short name of the role; models are routed, trained and judged under it."""
    purpose: Sentence
    """What its models are for, in a sentence or two."""
    model_type: Name
    """The plug-in that knows its data, its metrics and its reward, such as `sentiment_analysis`."""
    kind: Kind = "generation"
    """Family of the role: a live conversation, expert analysis, generation or classification."""
    tier: Tier | None = None
    """Latency class: gold is real-time, silver interactive, bronze async; else by the latency."""
    requirements: Requirements = Requirements()
    """Figures that a model has to reach."""
    weights: Annotated[
        dict[Name, Weight], Field(min_length=1, max_length=64), AfterValidator(by_name)
    ] = Field(default_factory=lambda: {"cost": 0.3, "performance": 0.7})
    """How much each metric counts when models are compared; only the proportions matter."""
    input_schema: JsonSchema = Field(default_factory=any_text)
    """JSON Schema of an input."""
    output_schema: JsonSchema = Field(default_factory=any_text)
    """JSON Schema of an output; answers that do not fit it are refused."""
    data: Data = Data()
    """What goes in and what comes out."""
    load: Load = Load()
    """Expected traffic."""
    deployment: Literal["edge", "cloud", "hybrid", "local"] = "local"
    """Where its models run."""
    memory: Memory = Memory()
    """What its models remember."""
    tools: Annotated[tuple[Tool, ...], Field(max_length=64), distinct("server")] = ()
    """MCP servers that it works with, beside those that every expert has."""
    devices: Annotated[tuple[Device, ...], Field(max_length=64), distinct("device")] = ()
    """Hardware that it controls."""
    admin_systems: Annotated[tuple[AdminSystem, ...], Field(max_length=64), distinct("system")] = ()
    """Software that it administers."""
    alignment: Rules = ()
    """What its answers have to be true to: honesty, fairness, the values of the house."""
    safety: Safety = Safety()
    """What must not come out of it."""
    budget: Budget = Budget()
    """What its training may take."""
    entropy: EntropyBand | None = None
    """Entropy band of its training; left out, that of the pipeline (0.5 to 2.0 nats) holds."""
    screening: Screening = Screening()
    """Which discovered models are looked at for it."""
    parent: Name | None = None
    """The role of which this one is a special case, and from whose knowledge it learns."""
    fallback: Name | None = None
    """The role that answers while this one cannot."""

    @model_validator(mode="after")
    def _tier_suits_the_latency(self) -> Self:
        stated = self.requirements.latency_ms
        most_ms = LATENCY_CLASSES[self.tier].most_ms if self.tier else None
        if stated is not None and most_ms is not None and stated > most_ms:
            raise contradiction(
                f"tier {self.tier} answers within {most_ms:g} ms, but latency_ms is {stated:g}",
                f"at most {most_ms:g}, or tier {tier_of(stated)}",
                "requirements.latency_ms",
            )
        return self

    @model_validator(mode="after")
    def _context_holds_the_data(self) -> Self:
        tokens = (self.data.input_tokens_max or 0) + (self.data.output_tokens_max or 0)
        if self.memory.context_window is not None and tokens > self.memory.context_window:
            raise contradiction(
                f"the largest input and output have {tokens:,} tokens together, the context "
                f"window only {self.memory.context_window:,}",
                f"at least {tokens:,}",
                "memory.context_window",
            )
        return self

    @model_validator(mode="after")
    def _leans_on_others(self) -> Self:
        for field, other in (("parent", self.parent), ("fallback", self.fallback)):
            if other == self.name:
                raise contradiction(f"{other!r} is its own {field}", "another role", field)
        return self

    def normalised_weights(self) -> dict[str, float]:
        """The weights as shares of 1."""
        whole = sum(self.weights.values())
        return {metric: weight / whole for metric, weight in self.weights.items()}

    def latency_tier(self) -> Tier:
        """The tier as written, or as the latency tells it."""
        return self.tier or tier_of(self.requirements.latency_ms)

    def latency_bound_ms(self) -> float | None:
        """The latency as written, or the bound of the tier; None where any will do."""
        stated = self.requirements.latency_ms
        return LATENCY_CLASSES[self.latency_tier()].most_ms if stated is None else stated

    def latency_unit(self) -> Literal["next_token", "answer"]:
        """What is timed: for a classification the whole answer, else the time to the next token."""
        return "answer" if self.kind == "classification" else "next_token"


class RoleDefined(Event, wire="RoleDefined", by="anyone", stream="role/{role}"):
    """Somebody said what a role is for; a later profile takes the place of an earlier one."""

    role: Name
    profile: RoleProfile

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "profile": {
            "name": "support",
            "purpose": "Tell whether a customer is happy, so that somebody can call back in time.",
            "model_type": "sentiment_analysis",
            "kind": "classification",
            "requirements": {"latency_ms": 16, "accuracy_min": 0.95, "hardware_available": ["L4"]},
            "weights": {"accuracy": 4, "latency": 3, "cost": 2, "throughput": 1},
        },
    }

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        if self.profile.name != self.role:
            raise contradiction(
                f"the event is about {self.role!r}, its profile about {self.profile.name!r}",
                f"the same name, {self.role!r}",
                "profile.name",
            )
        return self


class RoleRetired(Event, wire="RoleRetired", by="anyone", stream="role/{role}"):
    """Somebody took a role out of use; its history stays."""

    role: Name
    reason: Sentence

    example: ClassVar[dict[str, Any]] = {
        "role": "support",
        "reason": "answered by the new help desk",
    }
