"""What a role needs: figures to reach, the data and load it will see, memory, tools and devices."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from events.documented import Documented
from events.message import Name
from events.suggest import contradiction

T = TypeVar("T")

Label = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Permission = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$"),
    Field(examples=["tickets:read"]),
]
Language = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"),
    Field(examples=["en"]),
]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1e12)]
Money = Annotated[float, Field(ge=0, le=1e12)]
Tokens = Annotated[int, Field(ge=1, le=10**12)]


def by_name(items: dict[str, T]) -> dict[str, T]:
    """In the order of the names, so that equal values are written alike."""
    return dict(sorted(items.items()))


def distinct(name: str = "") -> AfterValidator:
    """No two items, or no two items with the same `name`, stand in a tuple."""

    def check(items: tuple[T, ...]) -> tuple[T, ...]:
        seen: set[Any] = set()
        for index, item in enumerate(items):
            key = getattr(item, name) if name else item
            if key in seen:
                place = f"{index}.{name}" if name else str(index)
                raise contradiction(f"{key!r} stands here twice", "each one once", place)
            seen.add(key)
        return items

    return AfterValidator(check)


class Range(Documented):
    """Where a metric has to lie."""

    min: float | None = None
    """The smallest acceptable value."""
    max: float | None = None
    """The largest acceptable value."""

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min is None and self.max is None:
            raise contradiction("the range has no bounds", "a 'min', a 'max', or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise contradiction(
                f"min {self.min:g} is above max {self.max:g}", "min at most max", "min"
            )
        return self


class Requirements(Documented):
    """The figures that a model has to reach before it may serve the role."""

    latency_ms: float | None = Field(default=None, gt=0, le=86_400_000)
    """Longest acceptable latency in milliseconds; what is timed depends on the role's kind."""
    latency_percentile: Literal["p50", "p95", "p99"] = "p95"
    """The share of all calls that keep within `latency_ms`."""
    accuracy_min: Share | None = None
    """Smallest acceptable accuracy; the short form of a range for the metric `accuracy`."""
    metrics: Annotated[dict[Name, Range], Field(max_length=64), AfterValidator(by_name)] = Field(
        default_factory=dict
    )
    """Ranges for any other metric, by its name, such as `f1` or `false_positive_rate`."""
    quality: Literal["standard", "maximum"] = "standard"
    """Whether the best quality is worth a large model, or a good one is enough."""
    cost_max_per_1m_tokens: Money | None = None
    """Highest acceptable cost of a million tokens, in US dollars."""
    cost_max_per_request: Money | None = None
    """Highest acceptable cost of one request, in US dollars."""
    hardware_available: Annotated[tuple[Label, ...], Field(max_length=64), distinct()] = ()
    """Accelerators on which the model may run, such as L4 or A10G; none named, any will do."""
    memory_gb: Positive | None = None
    """Memory that the model may take on its device, in gigabytes."""
    throughput_rps: Positive | None = None
    """Requests a second that the model has to sustain."""
    availability_sla: Share = 0.999
    """Share of the time during which the role has to answer."""

    @model_validator(mode="after")
    def _agrees_on_accuracy(self) -> Self:
        if self.accuracy_min is not None and "accuracy" in self.metrics:
            raise contradiction(
                "accuracy is bounded twice",
                "either accuracy_min, or accuracy among the metrics",
                "accuracy_min",
            )
        return self

    def ranges(self) -> dict[str, Range]:
        """Every metric that is bounded, accuracy among them."""
        if self.accuracy_min is None:
            return dict(self.metrics)
        return by_name({**self.metrics, "accuracy": Range(min=self.accuracy_min)})


class Data(Documented):
    """What goes in and what comes out, how much of it, and whom it concerns."""

    input_format: Label = "text"
    """Form of the input, such as text, json or image."""
    input_tokens_max: Tokens | None = None
    """Size of the largest input, in tokens."""
    output_format: Label = "text"
    """Form of the output, such as text, label or json."""
    output_complexity: Literal["simple", "moderate", "complex"] = "moderate"
    """Simple is a label or a number, moderate a few sentences or fields, complex all beyond."""
    output_tokens_max: Tokens | None = None
    """Size of the largest output, in tokens."""
    examples_per_month: int | None = Field(default=None, ge=0, le=10**12)
    """Expected volume of data that training can draw on, in examples a month."""
    quality_min: Share = 0.95
    """Quality that a data set needs before the role is trained on it."""
    languages: Annotated[tuple[Language, ...], Field(min_length=1, max_length=64), distinct()] = (
        "en",
    )
    """Languages of input and output, as BCP 47 tags."""
    sensitivity: Literal["public", "internal", "confidential", "restricted"] = "internal"
    """Who may see the data at most."""
    personal_data: bool = False
    """Whether the data tells about persons."""


class Load(Documented):
    """The traffic that is expected."""

    requests_per_day: float | None = Field(default=None, ge=0, le=1e15)
    """Requests on an ordinary day."""
    requests_per_month: float | None = Field(default=None, ge=0, le=1e16)
    """Requests in an ordinary month; left out, it is thirty times those of a day."""
    peak_rps: Positive | None = None
    """Requests a second in the busiest minute."""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        day, month = self.requests_per_day, self.requests_per_month
        if day is not None and month is not None and not day <= month <= 31 * day:
            raise contradiction(
                f"{month:,g} requests a month do not go with {day:,g} a day",
                f"from {day:,g} to {31 * day:,g} a month",
                "requests_per_month",
            )
        if day is not None and self.peak_rps is not None and self.peak_rps < day / 86_400:
            raise contradiction(
                f"the peak of {self.peak_rps:g} a second is below the average of the day",
                f"at least {day / 86_400:g}",
                "peak_rps",
            )
        return self

    def monthly(self) -> float | None:
        """Requests a month, as written or from those of a day."""
        if self.requests_per_month is None and self.requests_per_day is not None:
            return 30 * self.requests_per_day
        return self.requests_per_month


class Memory(Documented):
    """What a model of the role remembers; without a bound it is kept for ever."""

    context_window: Tokens | None = None
    """Tokens that the model has to hold at once; left out, whatever it can."""
    retention_days: float | None = Field(default=None, gt=0, le=36_500)
    """Memories older than this are forgotten."""
    retention_items: int | None = Field(default=None, ge=0, le=10**9)
    """Of more memories than this the oldest are forgotten; 0 keeps none."""

    def forever(self) -> bool:
        """Whether nothing is ever forgotten."""
        return self.retention_days is None and self.retention_items is None


class Tool(Documented):
    """An MCP server that the role works with."""

    server: Name
    """Name of the server, as the installation knows it."""
    permissions: Annotated[tuple[Permission, ...], Field(max_length=64), distinct()] = ("read",)
    """What the model may do there."""


class Device(Documented):
    """Hardware that the role controls."""

    device: Name
    """Name of the device, as the installation knows it."""
    permissions: Annotated[tuple[Permission, ...], Field(max_length=64), distinct()] = ("read",)
    """What the model may do with it."""


class AdminSystem(Documented):
    """Software that the role administers."""

    system: Name
    """Name of the system, as the installation knows it."""
    permissions: Annotated[tuple[Permission, ...], Field(max_length=64), distinct()] = ("read",)
    """What the model may do in it."""
