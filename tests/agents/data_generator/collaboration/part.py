"""A process that makes one part against a server, to be killed: `python -m ... URL FOLDER`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.many import collaborate
from agents.data_generator.collaboration.plan import Plan
from guardrails.budget import Budget
from guardrails.caller import Caller
from guardrails.endpoint import Endpoint
from trainers.model_types.finding import model_type

IN_FLIGHT = 6
QUANTITY = 24
SEED = 7


async def make(url: str, folder: Path) -> dict[str, Any]:
    """The part, and what it has cost, by all processes that worked at it."""
    how: dict[str, Any] = {"url": url, "rung": "json_schema", "concurrency": 64}
    teacher = Endpoint(name="teacher", model="teacher", **how)
    verifier = Endpoint(name="verifier", model="verifier", **how)
    caller = Caller([teacher, verifier])
    with Journal(folder / "calls.jsonl") as journal:
        plan = Plan(
            dataset="d1",
            part=1,
            type=model_type("arithmetic_reasoning"),
            quantity=QUANTITY,
            seed=SEED,
            teacher=teacher,
            verifier=verifier,
            budget=Budget(spent=journal.spent),
            in_flight=IN_FLIGHT,
        )
        made = await collaborate(plan, caller, journal, lambda _: None)
    await caller.close()
    return {"rows": made.rows, "provenance": made.provenance, "spent": made.spent}


def main(url: str, folder: Path) -> None:
    (folder / "made.json").write_text(json.dumps(asyncio.run(make(url, folder))))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
