"""A process that makes one part of pairs against a server, to be killed: `... URL FOLDER`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.pairing.many import paired
from agents.data_generator.pairing.plan import Plan
from guardrails.budget import Budget
from guardrails.caller import Caller
from guardrails.endpoint import Endpoint
from trainers.model_types.finding import model_type

IN_FLIGHT, ANSWERS = 4, 3
QUANTITY = 12


async def make(url: str, folder: Path) -> dict[str, Any]:
    """The pairs, and what they have cost, by all processes that worked at them."""
    how: dict[str, Any] = {"url": url, "rung": "json_schema", "concurrency": 64}
    writer = Endpoint(name="writer", model="writer", **how)
    judge = Endpoint(name="judge", model="judge", **how)
    caller = Caller([writer, judge])
    with Journal(folder / "calls.jsonl") as journal:
        plan = Plan(
            dataset="d1",
            part=1,
            type=model_type("arithmetic_reasoning"),
            quantity=QUANTITY,
            seed=7,
            writer=writer,
            judge=judge,
            budget=Budget(spent=journal.spent),
            scorer="judge",
            answers=ANSWERS,
            problems=10 * QUANTITY,
            in_flight=IN_FLIGHT,
        )
        made = await paired(plan, caller, journal, lambda _: None)
    await caller.close()
    return {"rows": [one.row for one in made.fruitful], "spent": made.spent}


def main(url: str, folder: Path) -> None:
    (folder / "made.json").write_text(json.dumps(asyncio.run(make(url, folder))))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
