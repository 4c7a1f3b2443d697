"""Verified trajectories a second with exact experts, through the client of cloud models.

The experts are a process of their own and solve within microseconds, so this is what everything
else costs: client, server, graph, journal, checks. Asking for many problems in one call is the
other way, and measured by itself.
"""

from __future__ import annotations

import asyncio
import time
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from tests.bench.results import Goal, PeerMissing, Result, percentile
from tests.bench.rounds import disk, interleaved
from trainers.model_types.finding import model_type
from trainers.model_types.kind import problem_of

KINDS = ("arithmetic_reasoning", "sentiment_analysis", "content_moderation", "support_replies")
"""Those whose answers are verified without a process; the first is measured in rounds."""
TOGETHER = 25
WALLED = 10
"""Programs in a call: of few, raising the first walls would be most of what is measured."""


def measure(short: bool) -> Result:
    for library in ("langgraph", "openai"):
        if find_spec(library) is None:
            raise PeerMissing(f"{library} is not installed")
    single, batched, rounds = (100, 1000, 1) if short else (300, 3000, 5)
    numbers = count()
    with disk() as folder:

        def rate(kind: str, many: int, together: int) -> float:
            return asyncio.run(made(kind, many, together, folder / f"{next(numbers)}.jsonl"))

        figures = interleaved(
            {
                "one": lambda: rate(KINDS[0], single, 1),
                "batched": lambda: rate(KINDS[0], batched, TOGETHER),
            },
            rounds,
        )
        others = {kind: round(rate(kind, single, 1), 1) for kind in KINDS[1:]}
        walled = round(rate("code_generation", 40 if short else 200, WALLED), 1)
    middle = [percentile(figures[side], 0.5) for side in ("one", "batched")]
    spreads = [(min(figures[side]), max(figures[side])) for side in ("one", "batched")]
    return Result(
        "verified trajectories from exact experts",
        "trajectories/s",
        {
            "one": f"{single} sums, one problem in a call, 50 sessions in flight",
            "batched": f"{batched} sums, {TOGETHER} problems in a call, 8 sessions in flight",
        },
        figures,
        [
            Goal("one problem in a call", middle[0], 50, spread=spreads[0]),
            Goal("many problems in a call", middle[1], 500, spread=spreads[1]),
        ],
        {
            "other_types_per_second": others,
            "code_generation_per_second": walled,
            "code_generation_note": f"{WALLED} problems in a call; each program runs behind walls "
            "twice, here and at the expert",
        },
    )


async def made(name: str, many: int, together: int, journal: Path) -> float:
    """So many rows a second, every one of them verified once more behind the clock."""
    from agents.data_generator.collaboration.journal import Journal
    from agents.data_generator.collaboration.many import collaborate
    from agents.data_generator.collaboration.plan import Plan
    from guardrails.budget import Budget
    from guardrails.caller import Caller
    from infra.experts.child import experts

    kind = model_type(name)
    async with experts([name]) as found:
        caller = Caller(found[name])
        with Journal(journal) as kept:
            teacher, verifier = found[name][:2]
            plan = Plan(
                dataset="bench",
                part=1,
                type=kind,
                quantity=many,
                seed=7,
                teacher=teacher,
                verifier=verifier,
                budget=Budget(),
                together=together,
                in_flight=50 if together == 1 else 8,
            )
            began = time.perf_counter()
            came = await collaborate(plan, caller, kept, lambda _: None)
            taken = time.perf_counter() - began
        await caller.close()
    assert len(came.rows) == many, came.why
    assert all(kind.verify(problem_of(row), row["completion"]).correct for row in came.rows[:500])
    return many / taken
