"""Many sessions at the same time, and what they make together: one part of a data set.

Sessions begin in their order, and a next one only while those that have ended or are under way
could leave rows missing. So which problems are tried follows from the models' answers alone, not
from how fast they came: the same seed gives the same rows.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from agents.data_generator.collaboration.graph import run
from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.plan import Plan
from agents.data_generator.collaboration.session import Ended, Rejected, Said, Session, Verified
from agents.data_generator.collaboration.transcript import Transcript
from agents.data_generator.collaboration.turn import Turn
from guardrails.caller import Caller
from guardrails.refusals import BudgetSpent
from trainers.model_types.kind import FRUITLESS, Problem

HOPELESS = 40
"""Problems in a row without an accepted solution, after which no more are tried."""
OUTAGE = 8
"""Problems in a row for which no model answered at all, after which no more are tried."""
HOPE_IS_GONE = ("outage", "hopeless")
"""Then nobody waits for what is under way; a spent budget lets it come to its end."""
TOLD = 20
"""Rejected problems that are told of one by one; all are counted, and stand in the transcript."""

Tell = Callable[[dict[str, Any]], None]


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
    ended: str
    """Empty where all that was to be tried was tried; else why not: `budget`, `outage`,
    `hopeless`, or `exhausted` where the type has no more different problems."""
    why: str
    """The same in a sentence."""


async def collaborate(plan: Plan, caller: Caller, journal: Journal, tell: Tell) -> Collaborated:
    """Make the rows of a part. The journal's budget is the plan's, with what was spent before."""
    with Transcript(journal.path.with_suffix(".transcript.jsonl")) as transcript:
        work = _Work(plan, caller, journal, transcript, tell)
        return await work.done()


class _Work:
    """One part under way. Results count in the order of their sessions."""

    def __init__(
        self, plan: Plan, caller: Caller, journal: Journal, transcript: Transcript, tell: Tell
    ) -> None:
        self._plan, self._caller, self._journal, self._tell = plan, caller, journal, tell
        self._transcript = transcript
        self._sessions: Iterator[tuple[int, tuple[Problem, ...]]] = enumerate(_sessions(plan))
        self._turns = asyncio.Lock()
        self._engines: dict[str, Any] = {}
        self._running: dict[asyncio.Task[Ended], int] = {}
        self._early: dict[int, Ended] = {}
        """Sessions that ended before one that began before them."""
        self._next = self._drawn = 0
        self._verified = 0
        """In all sessions that have ended, in order or not."""
        self._rows: list[dict[str, Any]] = []
        self._provenance: list[dict[str, Any]] = []
        self._rejected: list[Rejected] = []
        self._in_vain = self._unanswered = 0
        self._ended = self._why = self._trouble = ""

    async def done(self) -> Collaborated:
        began = time.monotonic()
        # the problems of the parts before this one may take seconds to pass by
        first = await asyncio.to_thread(next, self._sessions, None)
        self._sessions = chain([] if first is None else [first], self._sessions)
        try:
            while (self._begin() or self._running) and self._ended not in HOPE_IS_GONE:
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for task in sorted(done, key=self._running.__getitem__):
                    self._end(task)
        finally:
            await self._stop()
        for index in sorted(self._early):  # behind one that a spent budget cut off
            if self._ended == "budget":
                self._count(self._early[index])
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
            self._ended,
            self._why,
        )

    def _begin(self) -> bool:
        """Let sessions begin, as many as may; whether any did."""
        begun = False
        while not self._ended and len(self._running) < self._plan.in_flight:
            if self._verified + self._plan.together * len(self._running) >= self._plan.quantity:
                break
            found = next(self._sessions, None)
            if found is None:
                self._is_exhausted()
                break
            index, problems = found
            self._drawn += len(problems)
            self._running[asyncio.create_task(self._session(index, problems))] = index
            begun = True
        return begun

    async def _session(self, index: int, problems: tuple[Problem, ...]) -> Ended:
        name = self._plan.session(index)
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
        return Ended(index, name, results, tuple(session.said))

    def _end(self, task: asyncio.Task[Ended]) -> None:
        del self._running[task]
        try:
            ended = task.result()
        except BudgetSpent as spent:
            self._ended, self._why = "budget", str(spent)
            if self._trouble and not self._verified:  # what it was spent on
                self._why = f"{spent}; what models said was of no use: {self._trouble}"
            return
        self._verified += sum(isinstance(one, Verified) for one in ended.results)
        self._early[ended.place] = ended
        while not self._ended and self._next in self._early:
            self._count(self._early.pop(self._next))
            self._next += 1
            self._judge()
        self._tell({"rows": min(self._verified, self._plan.quantity), "of": self._plan.quantity})

    def _count(self, ended: Ended) -> None:
        self._transcript.add(ended)
        for result in ended.results:
            if isinstance(result, Rejected):
                self._rejected.append(result)
                self._in_vain += 1
                self._unanswered = self._unanswered + 1 if result.transport else 0
                continue
            self._in_vain = self._unanswered = 0
            self._rows.append(result.row)
            self._provenance.append(self._origin(ended, result))

    def _judge(self) -> None:
        """Whether it is of any use to go on."""
        last = "; ".join(self._rejected[-1].issues)[:300] if self._rejected else ""
        if self._unanswered >= OUTAGE:
            self._ended = "outage"
            self._why = f"{self._unanswered} problems in a row had no answer: {last}"
        elif self._in_vain >= HOPELESS:
            self._ended = "hopeless"
            self._why = f"{self._in_vain} problems in a row were not solved: {last}"

    def _is_exhausted(self) -> None:
        """The type has fewer different problems than were to be tried."""
        if self._drawn < self._plan.tries() and not self._running:
            self._ended = "exhausted"
            self._why = f"the type has no more than {self._drawn} different problems here"

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

    async def _stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for task in self._engines.values():
            task.cancel()
        await asyncio.gather(*self._engines.values(), return_exceptions=True)


def trouble(said: Sequence[Said]) -> str:
    """Why the last answer of a model was of no use, where one was not."""
    for one in reversed(said):
        answer = one.output.get("answer") if isinstance(one.output, dict) else None
        if isinstance(answer, dict) and "failed" in answer:
            return str(answer["why"])[:300]
    return ""


def _sessions(plan: Plan) -> Iterator[tuple[Problem, ...]]:
    """The problems of the part, so many at a time; the last session may have fewer."""
    drawn = _different(plan.type.problems(plan.seed, plan.difficulty))
    own = islice(drawn, plan.first, plan.first + plan.tries())
    while problems := tuple(islice(own, plan.together)):
        yield problems


def _different(drawn: Iterator[Problem]) -> Iterator[Problem]:
    """Each problem once, as long as new ones come."""
    seen: set[str] = set()
    fruitless = 0
    for one in drawn:
        if one.id not in seen:
            seen.add(one.id)
            fruitless = 0
            yield one
        elif (fruitless := fruitless + 1) >= FRUITLESS:
            return
