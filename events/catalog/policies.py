"""Policies: the rules an agent decides by. They are history, so that a replay knows them."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from events.catalog.data import Scorer
from events.catalog.role_needs import Share
from events.message import Event, Name, Value


class SchedulerPolicy(Value):
    """How the scheduler treats slots that were missed."""

    agent: Literal["scheduler"] = "scheduler"
    max_catch_up: int = Field(default=1000, ge=1, le=10_000)
    """Under the misfire policy `all`, at most so many missed slots are made up for at once."""


class TrainerPolicy(Value):
    """How the trainer leads a run."""

    agent: Literal["trainer"] = "trainer"
    max_attempts: int = Field(default=3, ge=1, le=100)
    """So often a stage is tried before the run is abandoned."""
    stage_hours: float = Field(default=24.0, gt=0, le=10_000)
    """A stage that has no outcome after so long is withdrawn and tried again."""
    open_runs_per_role: int = Field(default=100, ge=1, le=1000)
    """More runs of one role than this are not begun at the same time."""
    iterations: int = Field(default=3, ge=1, le=100)
    """So often a model that grows better is made better still."""
    run_hours: float | None = Field(default=None, gt=0, le=100_000)
    """Time that a whole run may take; the role's budget may say less."""
    bounds: dict[str, float] = Field(default_factory=dict, max_length=100)
    """In the place of the gates' own: `kl` for every side, or `entropy at_least` for one."""
    waived: tuple[Name, ...] = Field(default=(), max_length=100)
    """Metrics whose figure is accepted where their interval says neither yes nor no."""
    run_usd: float | None = Field(default=None, ge=0)
    """Money that calls of models may cost in a run, in dollars; the role's budget may say less."""
    run_tokens: int | None = Field(default=None, ge=0, le=10**15)
    """Tokens that models may read and write for a run; likewise."""
    people: Literal["skip", "ask", "demand"] = "skip"
    """Whether people compare the new model with its baseline, where a pipeline has a place for it.
    Asked, they may stop a run, but their silence does not; demanded, a run without their word is
    not good enough."""
    people_hours: float = Field(default=72.0, gt=0, le=10_000)
    """So long a queue waits for people."""
    people_items: int = Field(default=50, ge=1, le=1000)
    """So many pairs of answers people are asked to compare."""


class DataPolicy(Value):
    """How data sets are made, and which are good enough."""

    agent: Literal["data_generator"] = "data_generator"
    sources: Annotated[tuple[Name, ...], Field(min_length=1, max_length=16)] = ("synthetic",)
    """Who builds a set where the request names nobody; each is asked for all of it."""
    part_rows: int = Field(default=250, ge=1, le=100_000)
    """Rows of a part; of a large set the parts are larger, so that there are few of them."""
    part_attempts: int = Field(default=3, ge=1, le=20)
    """So often a part is tried, and the assembling."""
    part_minutes: float = Field(default=60.0, gt=0, le=100_000)
    """Time that asking models for a part may take; what is there by then is the part."""
    rounds: int = Field(default=3, ge=1, le=10)
    """So often parts are asked for where rows were taken out and too few are left."""
    hours: float = Field(default=12.0, gt=0, le=10_000)
    """What has not come after so long is not waited for: parts of a round, or the assembling."""
    usd: float | None = Field(default=20.0, ge=0)
    """Money for one set, in US dollars; the role's budget for a run may be less."""
    tokens: int | None = Field(default=None, ge=0, le=10**15)
    """Tokens that models may read and write for one set; likewise."""
    least_score: float = Field(default=0.8, ge=0, le=1)
    """A way of making data that is rated below is flagged."""
    scorer: Scorer | None = None
    """Who says which answer of a pair is the better; left out, the type's verifier where it
    decides, else a judge."""
    answers: int = Field(default=4, ge=2, le=16)
    """So many answers are written to each prompt of preference pairs."""
    least_gap: Share = 0.15
    """What the mean gap of preference pairs has to reach."""
    least_clean: Share = 0.9
    """The share of pairs without an evaluation item in them, before those are taken out."""
    ask_people: int = Field(default=200, ge=0, le=100_000)
    """So many pairs that nobody was sure of are put to people; 0 asks nobody."""
    people_hours: float = Field(default=72.0, gt=0, le=10_000)
    """So long a set waits for people where they are its scorer."""


class SelfLearningPolicy(Value):
    """What models may remember and tell each other."""

    agent: Literal["self_learning"] = "self_learning"
    memories_per_role: int = Field(default=10_000, ge=1, le=100_000)
    """More than this are refused, whatever the role's retention: nothing is forgotten unsaid."""
    relevance: Share = 0.25
    """From this score on a learning is passed on to a role."""
    confidence: Share = 0.5
    """What a model is less sure of is not passed on."""
    recipients: int = Field(default=100, ge=1, le=1000)
    """Nothing is delivered to more members at once."""
    open_messages: int = Field(default=100, ge=1, le=10_000)
    """So many messages may wait for a reply of one role and its models."""
    subscriptions: int = Field(default=100, ge=1, le=1000)
    """Topics that one role and its models may listen to."""
    open_collaborations: int = Field(default=100, ge=1, le=1000)
    """More sessions than this are not held at the same time."""
    support: int = Field(default=2, ge=1, le=32)
    """So many participants must have learned the same for it to be passed on; or the lead."""


class VerifierPolicy(Value):
    """How models are verified behind their runs, and when a candidate is withdrawn."""

    agent: Literal["verifier"] = "verifier"
    suites: Annotated[tuple[Name, ...], Field(min_length=1, max_length=32)] = ("fixed", "fresh")
    """What a model answers where a request names nothing: `fixed`, `fresh`, `examples`, or a task
    of the benchmarks' folder as `task.NAME`."""
    items: int = Field(default=120, ge=1, le=100_000)
    """Problems of each suite that is drawn."""
    rounds: int = Field(default=3, ge=1, le=20)
    """So often fresh problems are asked where nobody can tell yet; each time twice as many."""
    cheap_seconds: float = Field(default=60.0, ge=0, le=86_400)
    """Up to three times more than that, where it takes no longer than so long."""
    retention: Share = 0.95
    """The share of the earlier model's score that has to be kept."""
    alpha: float = Field(default=0.05, gt=0, lt=1)
    """Share of false ones among all regressions that are ever found, held by e-LOND."""
    on_registration: bool = True
    """A candidate is verified as soon as it is registered."""
    every_hours: float | None = Field(default=168.0, gt=0, le=100_000)
    """The model that stands is verified again after so long; None: only when somebody asks."""
    hours: float = Field(default=24.0, gt=0, le=10_000)
    """What nobody has measured after so long is withdrawn and asked for again."""
    attempts: int = Field(default=3, ge=1, le=20)
    """So often measuring is tried before it is given up."""


Policy = Annotated[
    SchedulerPolicy | TrainerPolicy | DataPolicy | SelfLearningPolicy | VerifierPolicy,
    Field(discriminator="agent"),
]

POLICIES: dict[
    str,
    type[SchedulerPolicy]
    | type[TrainerPolicy]
    | type[DataPolicy]
    | type[SelfLearningPolicy]
    | type[VerifierPolicy],
] = {
    "scheduler": SchedulerPolicy,
    "trainer": TrainerPolicy,
    "data_generator": DataPolicy,
    "self_learning": SelfLearningPolicy,
    "verifier": VerifierPolicy,
}


class PolicyAdopted(Event, wire="PolicyAdopted", by="anyone", stream="policy/{policy.agent}"):
    """From here on an agent decides by this policy."""

    policy: Policy

    example: ClassVar[dict[str, Any]] = {"policy": {"agent": "trainer", "max_attempts": 2}}
