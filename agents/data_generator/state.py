"""What the data generator knows: roles, data sets in the making, and how good each method was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from agents.agent import hears
from events.catalog.costs import Limits, Spent
from events.catalog.data import DataBegun, DataRequested, DatasetAccepted, DatasetRejected
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed, DeadlineSet
from events.catalog.evaluation_sets import EvaluationSetRegistered
from events.catalog.methods import MethodFlagged, MethodRated
from events.catalog.parts import (
    AssemblyFailed,
    AssemblyRequested,
    DatasetAssembled,
    DataWithdrawn,
    PartBuilt,
    PartFailed,
    PartRequested,
)
from events.catalog.policies import DataPolicy, PolicyAdopted
from events.catalog.reviews import OF_SETS, ReviewAnswered, Reviewed, ReviewOpened
from events.catalog.roles import RoleDefined, RoleRetired
from events.catalog.training import MOST_GUARDED, Artifact
from events.fact import Fact

T = TypeVar("T")

ACTOR = "agent:data_generator"
"""As whom it speaks: a queue of the same name that somebody else opens is none of a set's."""
PEOPLE = "people"

HEARS = hears(
    RoleDefined, RoleRetired, PolicyAdopted, DataRequested, DataBegun, PartRequested, PartBuilt,
    PartFailed, AssemblyRequested, DatasetAssembled, AssemblyFailed, DataWithdrawn,
    DatasetAccepted, DatasetRejected, MethodRated, MethodFlagged, DeadlineSet, DeadlineLifted,
    DeadlinePassed, EvaluationSetRegistered, ReviewOpened, ReviewAnswered,
)  # fmt: skip


def queue_of(dataset: str) -> str:
    """The queue in which people are asked about pairs of this set."""
    return OF_SETS + dataset


class Role(NamedTuple):
    """What of a role matters here."""

    model_type: str
    quality_min: float
    profile: str
    """The event that defined it."""
    limits: Limits


class Part(NamedTuple):
    """A part that was asked for."""

    source: str
    quantity: int
    first: int
    limits: Limits
    attempt: int = 0
    request: str = ""
    """The open `PartRequested`, or nothing."""
    answer: str = ""
    """What came of it, by its event id."""
    built: PartBuilt | None = None
    failed: str = ""
    """Why the present attempt failed."""
    method: str = ""
    spent: Spent = Spent()
    """Of all its attempts."""


class Making(NamedTuple):
    """A data set in the making. What has ended is forgotten here; the log knows it."""

    begun: DataBegun
    parts: dict[int, Part]
    rounds: int = 0
    assembly: int = 0
    """Attempts at assembling, over all rounds."""
    failures: int = 0
    """Attempts in this round that failed."""
    request: str = ""
    """The open `AssemblyRequested`, or nothing."""
    answer: str = ""
    """What came of it, by its event id."""
    due: str = ""
    """When what is open is not waited for any more."""
    review: str = ""
    """The queue in which people are asked, or nothing."""
    items: int = 0
    """How many pairs are in it."""
    answered: frozenset[int] = frozenset()
    """The pairs that people have said something about."""
    settled: frozenset[int] = frozenset()
    """Those of them of which one answer is the better."""

    @property
    def id(self) -> str:
        return self.begun.dataset

    def open(self) -> list[int]:
        """The parts that are being built."""
        return [number for number, part in self.parts.items() if part.request]

    def asks_people(self) -> bool:
        """Whether it waits for their answers, and for nothing else."""
        asked = any(part.source == PEOPLE for part in self.parts.values())
        return bool(self.review) and not asked and not self.request and not self.open()

    def built(self) -> tuple[PartBuilt, ...]:
        """What can be assembled, in the order of the parts."""
        done = [part.built for _, part in sorted(self.parts.items())]
        return tuple(one for one in done if one is not None and one.accepted)


class Rating(NamedTuple):
    """What a method has been good for."""

    score: float
    parts: int


class State(NamedTuple):
    """All of it."""

    roles: dict[str, Role]
    sets: dict[str, Making]
    methods: dict[str, Rating]
    flagged: frozenset[str]
    policy: DataPolicy
    guarded: dict[str, Artifact]
    """The evaluation sets, which no data set may have in it."""


INITIAL = State({}, {}, {}, frozenset(), DataPolicy(), {})


def evolve(state: State, told: Fact) -> State:
    """The state that has taken one more fact in."""
    match told.event:
        case RoleDefined(role=name, profile=profile):
            budget = profile.budget
            limits = Limits(money=budget.usd_per_run, tokens=budget.tokens_per_run)
            role = Role(profile.model_type, profile.data.quality_min, told.id, limits)
            return state._replace(roles={**state.roles, name: role})
        case RoleRetired(role=name):
            return state._replace(roles=_without(state.roles, name))
        case PolicyAdopted(policy=DataPolicy() as policy):
            return state._replace(policy=policy)
        case EvaluationSetRegistered(name=name, artifact=artifact):
            if len(state.guarded) > MOST_GUARDED and name not in state.guarded:
                return state
            return state._replace(guarded={**state.guarded, name: artifact})
        case DataBegun(dataset=name) as begun:
            return state._replace(sets={**state.sets, name: Making(begun, {})})
        case DatasetAccepted(dataset=name):
            return state._replace(sets=_without(state.sets, name))
        case DatasetRejected(dataset=str(name)):
            return state._replace(sets=_without(state.sets, name))
        case MethodRated(method=name, score=score, parts=parts):
            kept = state.flagged - {name} if score >= state.policy.least_score else state.flagged
            methods = {**state.methods, name: Rating(score, parts)}
            return state._replace(methods=methods, flagged=kept)
        case MethodFlagged(method=name):
            return state._replace(flagged=state.flagged | {name})
        case DeadlineSet(key=key) | DeadlineLifted(key=key):
            name = key.removeprefix("dataset/")
        case ReviewOpened(review=key) | ReviewAnswered(review=key):
            name = key.removeprefix(OF_SETS)
        case event:
            name = getattr(event, "dataset", None) or ""
    making = state.sets.get(name)
    if making is None:
        return state
    return state._replace(sets={**state.sets, name: _taken(making, told)})


def _taken(making: Making, told: Fact) -> Making:
    match told.event:
        case PartRequested() as asked:
            return _asked(making, asked, told.id)
        case PartBuilt(part=number, attempt=attempt) | PartFailed(part=number, attempt=attempt):
            part = making.parts.get(number)
            if part is None or not part.request or part.attempt != attempt:
                return making
            return _with(making, number, _answered(part._replace(answer=told.id), told))
        case AssemblyRequested(attempt=attempt):
            return making._replace(request=told.id, assembly=attempt)
        case DatasetAssembled(attempt=attempt) | AssemblyFailed(attempt=attempt):
            if not making.request or making.assembly != attempt:
                return making
            failures = making.failures + isinstance(told.event, AssemblyFailed)
            return making._replace(request="", answer=told.id, failures=failures)
        case DataWithdrawn(request=request, reason=reason):
            for number, part in making.parts.items():
                if part.request == request:
                    return _with(making, number, part._replace(request="", failed=reason))
            return making._replace(request="") if making.request == request else making
        case DeadlineSet(due=due):
            return making._replace(due=due.isoformat())
        case DeadlineLifted():
            return making._replace(due="")
        case ReviewOpened(review=review, count=count) if told.actor == ACTOR:
            return making._replace(review=review, items=count)
        case ReviewAnswered(review=review, answers=said) if review == making.review:
            return _heard(making, [one for one in said if one.item <= making.items])
        case _:
            return making


def _asked(making: Making, asked: PartRequested, event_id: str) -> Making:
    part = making.parts.get(asked.part)
    if part is None:
        part = Part(asked.source, asked.quantity, asked.first, asked.limits)
    part = part._replace(attempt=asked.attempt, request=event_id, failed="", limits=asked.limits)
    if asked.part not in making.parts and not making.open():  # the first of a new round
        making = making._replace(rounds=making.rounds + 1, failures=0)
    return _with(making, asked.part, part)


def _answered(part: Part, told: Fact) -> Part:
    match told.event:
        case PartBuilt(method=method, spent=spent) as built:
            return part._replace(request="", built=built, method=method, spent=spent)
        case PartFailed(reason=reason, method=method, spent=spent):
            named = method or part.method
            return part._replace(request="", failed=reason, method=named, spent=spent)
        case _:
            return part


def _heard(making: Making, said: Sequence[Reviewed]) -> Making:
    """What people say last of a pair counts."""
    better = {one.item for one in said if one.choice in ("a", "b")}
    every = {one.item for one in said}
    settled = making.settled - (every - better) | better
    return making._replace(answered=making.answered | every, settled=settled)


def _with(making: Making, number: int, part: Part) -> Making:
    return making._replace(parts={**making.parts, number: part})


def _without(known: dict[str, T], name: str) -> dict[str, T]:
    return {key: one for key, one in known.items() if key != name}
