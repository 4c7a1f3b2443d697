"""What the collaboration costs beside its models: 300 ms an answer, 50 sessions in flight.

The peer is plain asyncio: it puts the very same questions to the same models through the same
caller and checks the same solutions, but has no graph, no journal and no transcript.
"""

from __future__ import annotations

import asyncio
import json
import time
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from guardrails.budget import Budget
from guardrails.caller import Caller
from guardrails.calls import Message
from guardrails.endpoint import Endpoint
from tests.bench.results import PeerMissing, Result, ratio
from tests.bench.rounds import disk, interleaved
from tests.bench.slow_models import SECONDS, slow_models
from trainers.model_types.finding import model_type
from trainers.model_types.kind import Problem

IN_FLIGHT = 50
CALLS = 2
"""Of a problem that is solved and accepted at the first time."""
KIND = "arithmetic_reasoning"


def endpoints(url: str) -> tuple[Endpoint, Endpoint]:
    how: dict[str, Any] = {"url": url, "rung": "json_schema", "concurrency": IN_FLIGHT}
    return tuple(Endpoint(name=one, model=one, **how) for one in ("teacher", "verifier"))  # type: ignore[return-value]


def measure(short: bool) -> Result:
    for library in ("langgraph", "openai"):
        if find_spec(library) is None:
            raise PeerMissing(f"{library} is not installed")
    many, rounds = (250, 1) if short else (600, 5)
    numbers = count()
    with disk() as folder, slow_models() as url:
        first = folder / "questions.jsonl"
        asyncio.run(ours(url, first, many))
        asked = questions(first)
        figures = interleaved(
            {
                "plain asyncio": lambda: asyncio.run(plain(url, asked)),
                "collaboration": lambda: asyncio.run(
                    ours(url, folder / f"{next(numbers)}.jsonl", many)
                ),
            },
            rounds,
        )
    ideal = IN_FLIGHT / (CALLS * SECONDS)
    goal = ratio(figures["collaboration"], figures["plain asyncio"], "ours / plain asyncio", 0.95)
    how = f"{many} problems, {IN_FLIGHT} in flight, {CALLS} calls of {SECONDS * 1000:g} ms for each"
    return Result(
        "three models that make trajectories",
        "trajectories/s",
        {
            "plain asyncio": f"{how}; the same questions through the same caller, nothing kept",
            "collaboration": f"{how}; LangGraph, journal and transcript",
        },
        figures,
        [goal],
        {
            "ideal_per_second": round(ideal, 1),
            "of_the_ideal": {side: round(max(row) / ideal, 3) for side, row in figures.items()},
        },
    )


async def ours(url: str, journal: Path, many: int) -> float:
    """Trajectories a second by the collaboration."""
    from agents.data_generator.collaboration.journal import Journal
    from agents.data_generator.collaboration.many import collaborate
    from agents.data_generator.collaboration.plan import Plan

    teacher, verifier = endpoints(url)
    caller = Caller([teacher, verifier])
    with Journal(journal) as kept:
        plan = Plan(
            dataset="bench",
            part=1,
            type=model_type(KIND),
            quantity=many,
            seed=7,
            teacher=teacher,
            verifier=verifier,
            budget=Budget(),
            in_flight=IN_FLIGHT,
        )
        began = time.perf_counter()
        made = await collaborate(plan, caller, kept, lambda _: None)
        taken = time.perf_counter() - began
    await caller.close()
    assert len(made.rows) == many, made.why
    return many / taken


def questions(journal: Path) -> list[dict[str, list[dict[str, str]]]]:
    """What the models were asked for each problem, from the transcript of the collaboration."""
    found: dict[str, dict[str, Any]] = {}
    for line in journal.with_suffix(".transcript.jsonl").read_text().splitlines():
        said = json.loads(line)
        if said["node"] in ("plan", "verify"):
            found.setdefault(said["session"], {})[said["node"]] = said["input"]["messages"]
    return list(found.values())


async def plain(url: str, asked: list[dict[str, list[dict[str, str]]]]) -> float:
    """Trajectories a second by a semaphore and two awaits."""
    from agents.data_generator.collaboration.answers import Judgement, PlannedTrajectory
    from agents.data_generator.collaboration.asking import documents
    from agents.data_generator.collaboration.checks import checked

    caller, budget, kind = Caller(endpoints(url)), Budget(), model_type(KIND)
    room = asyncio.Semaphore(IN_FLIGHT)

    async def one(question: dict[str, list[dict[str, str]]]) -> bool:
        async with room:
            plan, verify = ([Message(**turn) for turn in question[node]]  # type: ignore[arg-type]
                            for node in ("plan", "verify"))  # fmt: skip
            solved = await caller.ask("teacher", plan, budget=budget, answer=PlannedTrajectory)
            stated = documents(verify[-1].text)["problems"][0]
            problem = Problem("", stated["prompt"], stated["answer"])
            assert isinstance(solved.value, PlannedTrajectory)
            right = not checked(kind, problem, solved.value).reason
            judged = await caller.ask("verifier", verify, budget=budget, answer=Judgement)
            assert isinstance(judged.value, Judgement)
            return right and judged.value.score >= 0.7

    began = time.perf_counter()
    accepted = await asyncio.gather(*(one(question) for question in asked))
    taken = time.perf_counter() - began
    await caller.close()
    assert all(accepted)
    return len(asked) / taken
