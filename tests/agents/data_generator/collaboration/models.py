"""A teacher and a verifier behind one real server, as good or as bad as a test needs them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from agents.data_generator.collaboration.asking import documents
from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.many import Collaborated, collaborate
from agents.data_generator.collaboration.plan import Plan
from guardrails.budget import Budget
from guardrails.caller import Caller
from guardrails.endpoint import Endpoint
from tests.guardrails.server import Asked, Behaviour, Said, Server, says
from trainers.model_types.finding import model_type
from trainers.model_types.kind import Problem, identity

KIND = model_type("arithmetic_reasoning")


@dataclass(frozen=True)
class Models:
    """What the two models do."""

    teacher: Behaviour
    verifier: Behaviour

    def __call__(self, asked: Asked) -> Said:
        teaches = asked.body["model"] == "teacher"
        return (self.teacher if teaches else self.verifier)(asked)


class Hit(NamedTuple):
    """Something that a knowledge base may hold."""

    text: str
    source_event: str


def told(asked: Asked) -> str:
    """All that a model was told."""
    return "\n".join(one["content"] for one in asked.body["messages"])


def stated(asked: Asked) -> list[dict[str, Any]]:
    """The problems in a message, read as any model could read them."""
    return documents(told(asked))["problems"]


def solution(prompt: str, kind: Any = KIND, answer: Any = None) -> dict[str, Any]:
    """A right solution, as a teacher writes it."""
    solved = kind.solve(Problem(identity(prompt), prompt, answer))
    steps = [step._asdict() for step in solved.steps]
    return {"steps": steps, "expected_outcome": solved.outcome}


def wrong(prompt: str) -> dict[str, Any]:
    """A solution in the right form, with a wrong end."""
    made = solution(prompt)
    made["steps"][-1]["action"], made["expected_outcome"] = "=7", "7"
    return made


def teaching(make: Callable[[str], dict[str, Any]]) -> Behaviour:
    """A teacher who writes such a solution for each problem."""

    def teach(asked: Asked) -> Said:
        problems = stated(asked)
        if "trajectories" not in _fields(asked):
            return says(json.dumps(make(problems[0]["prompt"])))
        several = [{**make(one["prompt"]), "problem": one["problem"]} for one in problems]
        return says(json.dumps({"trajectories": several}))

    return teach


def judging(score: float, *issues: str) -> Behaviour:
    """A verifier who thinks that of everything."""

    def judge(asked: Asked) -> Said:
        word = {"score": score, "issues": list(issues)}
        if "judgements" not in _fields(asked):
            return says(json.dumps(word))
        several = [{**word, "problem": one["problem"]} for one in stated(asked)]
        return says(json.dumps({"judgements": several}))

    return judge


def _fields(asked: Asked) -> set[str]:
    return set(asked.body["response_format"]["json_schema"]["schema"]["properties"])


RIGHT, APPROVES = teaching(solution), judging(1.0)


def sent_to(server: Server, model: str) -> list[Asked]:
    """What that model was asked."""
    return [one for one in server.asked if one.body["model"] == model]


class Desk:
    """What parts are made with, against one server."""

    def __init__(self, server: Server, folder: Path, **fields: Any) -> None:
        self.server, self.folder = server, folder
        how = {"concurrency": 64, "rung": "json_schema", "timeout_s": 2.0, **fields}
        self.teacher: Endpoint = server.endpoint(name="teacher", model="teacher", **how)
        self.verifier: Endpoint = server.endpoint(name="verifier", model="verifier", **how)
        self.caller = Caller([self.teacher, self.verifier], sleep=_at_once)
        self.told: list[dict[str, Any]] = []

    def plan(self, **fields: Any) -> Plan:
        asked: dict[str, Any] = {
            "dataset": "d1",
            "part": 1,
            "type": KIND,
            "quantity": 6,
            "seed": 7,
            "teacher": self.teacher,
            "verifier": self.verifier,
            "budget": Budget(),
        }
        return Plan(**{**asked, **fields})

    async def made(self, journal: str = "calls.jsonl", **fields: Any) -> Collaborated:
        with Journal(self.folder / journal) as kept:
            return await collaborate(self.plan(**fields), self.caller, kept, self.told.append)


@asynccontextmanager
async def desk(
    folder: Path, teacher: Behaviour, verifier: Behaviour, **fields: Any
) -> AsyncIterator[Desk]:
    """A server with these models; fields are those of its endpoints."""
    async with Server(Models(teacher, verifier)) as server:
        made = Desk(server, folder, **fields)
        try:
            yield made
        finally:
            await made.caller.close()


async def _at_once(_seconds: float) -> None:
    """Attempts come one after the other: a test does not wait between them."""


def transcript(made: Collaborated) -> list[dict[str, Any]]:
    return [json.loads(line) for line in made.transcript.read_text().splitlines()]
