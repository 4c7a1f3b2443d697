"""A writer and a judge behind one real server, as good or as bad as a test needs them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from agents.data_generator.collaboration.asking import documents
from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.pairing.many import Came, paired
from agents.data_generator.pairing.plan import Plan
from guardrails.budget import Budget
from guardrails.caller import Caller
from infra.experts.writing import written
from tests.guardrails.server import Asked, Behaviour, Said, Server, says
from trainers.model_types.finding import model_type
from trainers.model_types.kind import Problem, identity

KIND = model_type("arithmetic_reasoning")


def prompt_of(asked: Asked) -> str:
    """What is to be answered, or what was answered."""
    text = _question(asked)
    found = documents(text).get("problems")
    return str(found[0]["prompt"]) if found else text


def answers_of(asked: Asked) -> list[dict[str, Any]]:
    """The answers that a judge is shown, in their order."""
    return documents(_question(asked))["answers"]


def _question(asked: Asked) -> str:
    """What was asked at first; an answer that was sent back stands behind it."""
    turns = asked.body["messages"]
    return next(str(one["content"]) for one in turns if one["role"] == "user")


def writes(asked: Asked) -> Said:
    """As the exact expert's writer does, right or wrong by temperature and seed."""
    prompt = prompt_of(asked)
    problem = Problem(identity(prompt), prompt, None)
    return says(written(KIND, problem, asked.body["temperature"], asked.body["seed"]))


def right(prompt: str, text: str) -> float:
    """What the type's verifier gives it."""
    row = KIND.preprocess({"prompt": prompt})
    return float(KIND.verify(Problem("", row["prompt"], row["answer"]), text).reward)


def judging(score: Callable[[str, str, int], float]) -> Behaviour:
    """A judge who gives each answer a score by prompt, text and place."""

    def judge(asked: Asked) -> Said:
        prompt = prompt_of(asked)
        scores = [
            {"answer": one["answer"], "score": score(prompt, one["text"], one["answer"])}
            for one in answers_of(asked)
        ]
        return says(json.dumps({"scores": scores}))

    return judge


FAIR = judging(lambda prompt, text, _: right(prompt, text))


class Models:
    """What the two models do."""

    def __init__(self, writer: Behaviour = writes, judge: Behaviour = FAIR) -> None:
        self._writer, self._judge = writer, judge

    def __call__(self, asked: Asked) -> Said:
        judges = asked.body["model"] == "judge"
        return (self._judge if judges else self._writer)(asked)


class Desk:
    """What parts are made with, against one server."""

    def __init__(self, server: Server, folder: Path, **fields: Any) -> None:
        how = {"concurrency": 32, "rung": "json_schema", "timeout_s": 2.0, **fields}
        self.server, self.folder = server, folder
        self.writer = server.endpoint(name="writer", model="writer", **how)
        self.judge = server.endpoint(name="judge", model="judge", **how)
        self.caller = Caller([self.writer, self.judge], sleep=_at_once)

    def plan(self, **fields: Any) -> Plan:
        asked: dict[str, Any] = {
            "dataset": "d1", "part": 1, "type": KIND, "quantity": 6, "seed": 7,
            "writer": self.writer, "judge": self.judge, "budget": Budget(), "problems": 60,
        }  # fmt: skip
        return Plan(**{**asked, **fields})

    async def made(self, journal: str = "calls.jsonl", **fields: Any) -> Came:
        with Journal(self.folder / journal) as kept:
            return await paired(self.plan(**fields), self.caller, kept, lambda _: None)


@asynccontextmanager
async def desk(folder: Path, behave: Behaviour, **fields: Any) -> AsyncIterator[Desk]:
    """A server with these models; fields are those of its endpoints."""
    async with Server(behave) as server:
        made = Desk(server, folder, **fields)
        try:
            yield made
        finally:
            await made.caller.close()


async def _at_once(_seconds: float) -> None:
    """Attempts come one after the other: a test does not wait between them."""


def rows(made: Came) -> list[dict[str, Any]]:
    return [one.row for one in made.fruitful if one.row is not None]


def sent_to(server: Server, model: str) -> list[Asked]:
    return [one for one in server.asked if one.body["model"] == model]
