"""Many sessions at the same time, and what three models make in them: one part of a data set."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agents.data_generator.collaboration.graph import run
from agents.data_generator.collaboration.inorder import (
    HOPELESS,
    OUTAGE,
    End,
    Reason,
    Tell,
    in_order,
)
from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.plan import Plan
from agents.data_generator.collaboration.session import Ended, Rejected, Said, Session, Verified
from agents.data_generator.collaboration.transcript import Transcript
from agents.data_generator.collaboration.turn import Turn
from guardrails.caller import Caller
from guardrails.refusals import BudgetSpent
from trainers.model_types.kind import Problem

TOLD = 20
"""Rejected problems that are told of one by one; all are counted, and stand in the transcript."""


class Collaborated(NamedTuple):
    """What came of one part."""

    rows: list[dict[str, Any]]
    """In the order of their problems; no more than were wanted."""
    provenance: list[dict[str, Any]]
    """Of each row, in the same order."""
    rejected: dict[str, int]
    """How many problems were rejected, by reason."""
    refusals: tuple[Rejected, ...]
    """The first of them."""
    tried: int
    """Problems that a decision was made about."""
    transcript: Path
    spent: dict[str, float]
    """Of the budget, by all processes that worked at this part."""
    seconds: float
    ended: Reason
    why: str
    """The same in a sentence."""


async def collaborate(plan: Plan, caller: Caller, journal: Journal, tell: Tell) -> Collaborated:
    """Make the rows of a part. The journal's budget is the plan's, with what was spent before."""
    with Transcript(journal.path.with_suffix(".transcript.jsonl")) as transcript:
        return await _Work(plan, caller, journal, transcript).done(tell)


class _Work:
    """One part under way."""

    def __init__(
        self, plan: Plan, caller: Caller, journal: Journal, transcript: Transcript
    ) -> None:
        self._plan, self._caller, self._journal = plan, caller, journal
        self._transcript = transcript
        self._turns = asyncio.Lock()
        self._engines: dict[str, Any] = {}
        self._rows: list[dict[str, Any]] = []
        self._provenance: list[dict[str, Any]] = []
        self._rejected: list[Rejected] = []
        self._in_vain = self._unanswered = 0
        self._trouble = ""

    async def done(self, tell: Tell) -> Collaborated:
        began = time.monotonic()
        try:
            ended = await in_order(self._plan, self, tell, self._plan.together)
        finally:
            for task in self._engines.values():
                task.cancel()
            await asyncio.gather(*self._engines.values(), return_exceptions=True)
        why = ended.why
        if ended.reason == "budget" and self._trouble and not self._rows:  # what it was spent on
            why = f"{why}; what models said was of no use: {self._trouble}"
        rejected = Counter(one.reason for one in self._rejected)
        return Collaborated(
            self._rows[: self._plan.quantity],
            self._provenance[: self._plan.quantity],
            dict(sorted(rejected.items())),
            tuple(self._rejected[:TOLD]),
            len(self._rows) + len(self._rejected),
            self._transcript.path,
            self._plan.budget.spent(),
            time.monotonic() - began,
            ended.reason,
            why,
        )

    async def tried(self, place: int, problems: tuple[Problem, ...]) -> Ended:
        """A session."""
        name = self._plan.name(place)
        session = Session(
            name,
            problems,
            self._plan,
            self._caller,
            self._journal,
            Turn(self._turns),
            self._engines,
        )
        try:
            results = await run(session)
        except BudgetSpent:
            self._trouble = self._trouble or trouble(session.said)
            raise
        return Ended(place, name, results, tuple(session.said))

    def won(self, result: Ended) -> int:
        return sum(isinstance(one, Verified) for one in result.results)

    def count(self, result: Ended) -> None:
        """What was accepted, and what was rejected and why."""
        self._transcript.add(result)
        for one in result.results:
            if isinstance(one, Rejected):
                self._rejected.append(one)
                self._in_vain += 1
                self._unanswered = self._unanswered + 1 if one.transport else 0
                continue
            self._in_vain = self._unanswered = 0
            self._rows.append(one.row)
            self._provenance.append(self._origin(result, one))

    def hope(self) -> End:
        """None where problem after problem is not solved."""
        last = "; ".join(self._rejected[-1].issues)[:300] if self._rejected else ""
        if self._unanswered >= OUTAGE:
            return End("outage", f"{self._unanswered} problems in a row had no answer: {last}")
        if self._in_vain >= HOPELESS:
            return End("hopeless", f"{self._in_vain} problems in a row were not solved: {last}")
        return End()

    def _origin(self, ended: Ended, result: Verified) -> dict[str, Any]:
        plan = self._plan
        return {
            "source": plan.source,
            "method": plan.method,
            "session": ended.session,
            "licence": plan.licence,
            "model": plan.teacher.model,
            "verifier": plan.verifier.model,
            "score": result.score,
            "cites": list(result.cites),
        }


def trouble(said: Sequence[Said]) -> str:
    """Why the last answer of a model was of no use, where one was not."""
    for one in reversed(said):
        answer = one.output.get("answer") if isinstance(one.output, dict) else None
        if isinstance(answer, dict) and "failed" in answer:
            return str(answer["why"])[:300]
    return ""
