"""Who makes data here: the models that are configured, else the exact experts of a type."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from pydantic import ValidationError

from agents.data_generator.pairing.plan import Writers
from agents.data_generator.sources.synthetic import Team
from events.errors import Malformed
from events.suggest import malformed
from guardrails.caller import Caller
from guardrails.endpoint import Endpoint
from infra.experts.child import Experts, experts
from infra.settings import Model, Models

TOGETHER = 10
"""Problems that the exact experts are asked in one call; they read all of them alike."""
ADDRESS = "the address up to and with /v1, such as http://127.0.0.1:8000/v1"
EXPERT, TEACHER, WRITER = "expert:", ":teacher", ":writer"
"""How an expert's server names its models. A teacher of exact answers is never wrong, and from
answers that are all right no preference is learned; its writer stands beside it."""


class Teams:
    """Those for each model type, for as long as the house stands."""

    def __init__(self, models: Models) -> None:
        self._teacher = endpoint("teacher", models.teacher)
        self._verifier = endpoint("verifier", models.verifier)
        self._retriever = endpoint("retriever", models.retriever)
        self._policy = endpoint("policy", models.policy)
        self._judge = endpoint("judge", models.judge)
        self._teams: dict[str, Team] = {}
        self._writers: dict[str, Writers] = {}
        self._experts: dict[str, Experts] = {}
        self._open = AsyncExitStack()
        self._starting = asyncio.Lock()

    async def of(self, model_type: str) -> Team:
        """Teacher and verifier of this type; its experts are started where one is missing."""
        async with self._starting:
            team = self._teams.get(model_type)
            if team is None:
                team = self._teams[model_type] = await self._team(model_type)
            return team

    async def writers(self, model_type: str) -> Writers:
        """Who answers prompts of this type in several ways, and who judges the answers."""
        async with self._starting:
            found = self._writers.get(model_type)
            if found is None:
                found = self._writers[model_type] = await self._those_who_write(model_type)
            return found

    def forget(self, model_type: str) -> None:
        """Start others the next time: of these nobody answers."""
        for known in (self._teams, self._writers, self._experts):
            known.pop(model_type, None)

    async def close(self) -> None:
        await self._open.aclose()

    async def _team(self, model_type: str) -> Team:
        teacher, verifier, together = self._teacher, self._verifier, 1
        if teacher is None or verifier is None:
            found = await self._of_type(model_type)
            together = TOGETHER if teacher is None and verifier is None else 1
            teacher = teacher or found.teacher
            verifier = verifier or found.verifier
        others = () if self._retriever is None else (self._retriever,)
        caller = self._caller(teacher, verifier, *others)
        return Team(teacher, verifier, caller, together, self._retriever)

    async def _those_who_write(self, model_type: str) -> Writers:
        """The policy where there is one, else the teacher; the judge, else the verifier."""
        writer, judge = self._policy or _writing(self._teacher), self._judge or self._verifier
        if writer is None or judge is None:
            found = await self._of_type(model_type)
            writer, judge = writer or found.writer, judge or found.verifier
        told = self._policy is None or writer.model.startswith(EXPERT)
        return Writers(writer, judge, self._caller(writer, judge), told)

    async def _of_type(self, model_type: str) -> Experts:
        found = self._experts.get(model_type)
        if found is None:
            started = await self._open.enter_async_context(experts([model_type]))
            found = self._experts[model_type] = started[model_type]
        return found

    def _caller(self, *endpoints: Endpoint) -> Caller:
        caller = Caller(endpoints)
        self._open.push_async_callback(caller.close)
        return caller


def _writing(teacher: Endpoint | None) -> Endpoint | None:
    """The teacher; of an exact expert the writer beside it."""
    exact = teacher is not None and teacher.model.startswith(EXPERT)
    if teacher is None or not exact or not teacher.model.endswith(TEACHER):
        return teacher
    return teacher.model_copy(update={"model": teacher.model.removesuffix(TEACHER) + WRITER})


def endpoint(name: str, model: Model) -> Endpoint | None:
    """The endpoint as it is configured, or None."""
    if not model.url:
        return None
    if not model.model:
        where = f"models.{name}.model"
        raise Malformed(f"the {name} has an address and no model", where=where,
                        right="the name by which its server knows it")  # fmt: skip
    try:
        return Endpoint(
            name=name,
            url=model.url,
            model=model.model,
            key=model.key,
            concurrency=model.concurrency,
            requests_per_minute=model.requests_per_minute,
            timeout_s=model.timeout_s,
            price_in_per_1m=model.price_in_per_1m,
            price_out_per_1m=model.price_out_per_1m,
        )
    except ValidationError as error:
        wrong = malformed(Endpoint, error)
        where = f"models.{name}.{wrong.where}"
        right = ADDRESS if wrong.where == "url" else wrong.right
        raise Malformed(wrong.what, where=where, right=right) from None
