"""Whatever workers count and people ask: the verifier decides, and asks one thing at a time."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from agents.verifier import VERIFIER
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed, DeadlineSet
from events.catalog.examinations import (
    AreaCount,
    Cell,
    ExaminationRequested,
    ExaminationWithdrawn,
    SuiteMeasured,
)
from events.catalog.policies import PolicyAdopted, VerifierPolicy
from events.catalog.roles import RoleDefined, RoleRetired
from events.catalog.training import Measured
from events.catalog.verification import ModelVerified, VerificationFailed, VerificationRequested
from events.message import Event
from tests.agents.spec import History
from tests.agents.trainer.story import PROFILE
from tests.agents.verifier.looks import artifact, candidate

STATES = TypeAdapter(type(VERIFIER.initial))
TYPES = ("arithmetic_reasoning", "support_replies")


class Rubbish:
    """A verifier, and whatever luck tells it."""

    def __init__(self, luck: random.Random) -> None:
        self.luck, self.history = luck, History(VERIFIER)
        self.open: dict[str, ExaminationRequested] = {}
        self.due: dict[str, Any] = {}
        self.tell(self.role())

    def role(self) -> RoleDefined:
        needs = {"accuracy_min": self.luck.choice([0.0, 0.3, 0.9, 1.0])}
        own = PROFILE | {"requirements": needs, "model_type": self.luck.choice(TYPES)}
        return RoleDefined.model_validate({"role": "sums", "profile": own})

    def tell(self, event: Event) -> None:
        said = self.history.tell(event)
        ids = VERIFIER.decision_ids(self.history.facts[-len(said) - 1].id, len(said))
        for one, of in zip(said, ids, strict=True):
            assert type(one).model_validate_json(one.model_dump_json()) == one
            if isinstance(one, ExaminationRequested):
                assert not self.open
                self.open[of] = one
            elif isinstance(one, ExaminationWithdrawn):
                del self.open[one.request]
            elif isinstance(one, DeadlineSet):
                self.due[one.key] = one.due
            elif isinstance(one, DeadlineLifted):
                self.due.pop(one.key, None)

    def something(self) -> Event:
        luck = self.luck
        if self.open and luck.random() < 0.5:
            return self.answer(self.open.pop(*self.open))
        if self.due and luck.random() < 0.2:
            key = luck.choice(sorted(self.due))
            return DeadlinePassed(key=key, due=self.due.pop(key))
        policy = {
            "rounds": luck.choice([1, 20]), "alpha": luck.choice([1e-9, 0.999]),
            "retention": luck.choice([0.0, 1.0]), "attempts": luck.choice([1, 3]),
        }  # fmt: skip
        return luck.choice(
            [
                candidate(luck.randrange(1, 5), artifact(0xBA, "base")),
                candidate(luck.randrange(1, 5)),
                self.role(),
                RoleRetired(role="sums", reason="x"),
                VerificationRequested(role="sums", suites=luck.choice([(), ("task.x",)])),
                PolicyAdopted(policy=VerifierPolicy.model_validate(policy)),
            ]
        )

    def answer(self, asked: ExaminationRequested) -> Event:
        luck = self.luck
        of: dict[str, Any] = {"verification": asked.verification, "attempt": asked.attempt}
        if luck.random() < 0.2:
            again = luck.random() < 0.5
            return VerificationFailed(role=asked.role, reason="x", retryable=again, **of)
        wrong = Measured(value=0.0, low=1e300, high=-1e300, n=luck.choice([0, 9]))
        suites = [
            SuiteMeasured.model_validate(
                {"suite": luck.choice(["fixed", "fresh", "task.x", "odd"]), "score": wrong,
                 "compared": luck.choice(["", "baseline", "itself"]), "cells": self.cells()}
            )
            for _ in range(luck.randrange(4))
        ]  # fmt: skip
        counts = [(luck.choice([0, 5, 10**9]), luck.choice([1, 50, 10**15])) for _ in range(3)]
        areas = [AreaCount(area=f"a{bad}", wrong=bad, n=many) for bad, many in counts]
        return ModelVerified(
            role=asked.role, run=asked.run, model=asked.model, baseline=asked.baseline,
            suites=tuple(suites), wrong=luck.choice([0, 5, 10**9]), n=luck.choice([0, 5, 10**15]),
            areas=tuple(areas), seconds=luck.choice([0.0, 1e9]), **of,
        )  # fmt: skip

    def cells(self) -> tuple[Cell, ...]:
        some = [0.0, 0.333, 1.0]
        return tuple(
            Cell(after=self.luck.choice(some), before=self.luck.choice(some), n=many)
            for many in self.luck.sample([1, 40, 2**40], self.luck.randrange(4))
        )


@settings(max_examples=60, deadline=None)
@given(luck=st.randoms(use_true_random=False), many=st.integers(1, 40))
def test_whatever_is_told_it_decides_and_asks_one_thing_at_a_time(
    luck: random.Random, many: int
) -> None:
    told = Rubbish(luck)
    for _ in range(many):
        told.tell(told.something())
    state = told.history.state
    assert STATES.validate_json(STATES.dump_json(state)) == state
    waits = {one.open.id for one in state.standing.values() if one.open and one.open.request}
    assert waits == {one.verification for one in told.open.values()}
    assert all(f"verification/{one}" in told.due for one in waits)
