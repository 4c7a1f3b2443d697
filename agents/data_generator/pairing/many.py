"""Many prompts at the same time, and the pairs that come of them: one part of a set.

Prompts begin in their order, and a next one only while those that have ended or are under way could
leave pairs missing. So which prompts are tried follows from the answers alone, not from how fast
they came: the same seed gives the same pairs.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.session import Ended, Said
from agents.data_generator.collaboration.transcript import Transcript
from agents.data_generator.pairing.plan import Desk, Plan
from agents.data_generator.pairing.scoring import LATER, is_sure, pair_of, scored
from agents.data_generator.pairing.writing import ALIKE, example_of, written
from guardrails.caller import Caller
from guardrails.refusals import BudgetSpent
from trainers.model_types.kind import FRUITLESS, Problem

HOPELESS = 40
"""Prompts in a row without a pair that anybody is sure of, after which no more are tried."""
OUTAGE = 8
"""Prompts in a row for which no model answered at all, after which no more are tried."""

Tell = Callable[[dict[str, Any]], None]


class Tried(NamedTuple):
    """What came of one prompt."""

    place: int
    session: str
    prompt: str
    texts: tuple[str, ...] = ()
    """The different answers."""
    row: dict[str, Any] | None = None
    """A pair; None where there is none, or where it is scored later."""
    scorer: str = ""
    reason: str = ""
    """Why there is no pair, as it is counted."""
    why: str = ""
    transport: bool = False
    said: tuple[Said, ...] = ()

    @property
    def sure(self) -> bool:
        return not self.reason and (self.row is None or is_sure(self.row))


class Came(NamedTuple):
    """What came of one part."""

    fruitful: list[Tried]
    """Prompts with a pair, or with answers that are scored later, in their order."""
    rejected: dict[str, int]
    """How many prompts gave no pair, by reason."""
    transcript: Path
    spent: dict[str, float]
    silent: bool
    """Nobody answered any of them."""
    ended: str
    """Empty where all went its way; else `budget`, `outage`, `hopeless` or `exhausted`."""
    why: str


async def paired(plan: Plan, caller: Caller, journal: Journal, tell: Tell) -> Came:
    """Make the pairs of a part. The journal's budget is the plan's, with what was spent before."""
    with Transcript(journal.path.with_suffix(".transcript.jsonl")) as transcript:
        return await _Work(plan, caller, journal, transcript, tell).done()


class _Work:
    """One part under way. What came counts in the order of the prompts."""

    def __init__(
        self, plan: Plan, caller: Caller, journal: Journal, transcript: Transcript, tell: Tell
    ) -> None:
        self._plan, self._caller, self._journal, self._tell = plan, caller, journal, tell
        self._transcript, self._example = transcript, example_of(plan)
        self._prompts = enumerate(prompts(plan))
        self._running: dict[asyncio.Task[Tried], int] = {}
        self._early: dict[int, Tried] = {}
        """What ended before one that began before it."""
        self._next = self._drawn = self._sure = 0
        self._counted: list[Tried] = []
        self._ended, self._why = "", ""

    async def done(self) -> Came:
        try:
            while self._begin() or self._running:
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for task in sorted(done, key=self._running.__getitem__):
                    self._end(task)
                if self._ended in ("outage", "hopeless"):
                    break
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
        if self._ended == "budget":  # what came behind the prompt that was cut off
            for place in sorted(self._early):
                self._count(self._early[place])
        fruitless = [one for one in self._counted if one.reason]
        return Came(
            _enough(self._counted, self._plan.quantity),
            dict(sorted(Counter(one.reason for one in fruitless).items())),
            self._transcript.path,
            self._plan.budget.spent(),
            _silent(self._counted),
            self._ended,
            self._why,
        )

    def _begin(self) -> bool:
        begun = False
        while not self._ended and len(self._running) < self._plan.in_flight:
            if self._sure + len(self._running) >= self._plan.quantity:
                break
            found = next(self._prompts, None)
            if found is None:
                if self._drawn < self._plan.prompts and not self._running:
                    self._ended = "exhausted"
                    self._why = f"the type has no more than {self._drawn} different prompts here"
                break
            place, problem = found
            self._drawn += 1
            self._running[asyncio.create_task(self._tried(place, problem))] = place
            begun = True
        return begun

    async def _tried(self, place: int, problem: Problem) -> Tried:
        name = self._plan.name(place)
        desk = Desk(self._plan, self._caller, self._journal, name, self._example)
        tried = Tried(place, name, problem.prompt)
        texts, reason, why, silent = await written(desk, problem)
        tried = tried._replace(texts=texts, reason=reason, why=why, transport=silent)
        if not reason:
            found = await scored(desk, problem, texts)
            tried = tried._replace(
                scorer=found.scorer, reason=found.reason, why=found.why, transport=found.transport
            )
            if not found.reason and self._plan.scorer not in LATER:
                row = pair_of(problem.prompt, texts, found.rounds)
                alike = "" if row is not None else "tied"
                tried = tried._replace(row=row, reason=alike)
        return tried._replace(said=tuple(desk.said))

    def _end(self, task: asyncio.Task[Tried]) -> None:
        del self._running[task]
        try:
            tried = task.result()
        except BudgetSpent as spent:
            self._ended, self._why = "budget", str(spent)
            return
        self._sure += tried.sure
        self._early[tried.place] = tried
        while not self._ended and self._next in self._early:
            self._count(self._early.pop(self._next))
            self._next += 1
            self._judge()
        self._tell({"rows": min(self._sure, self._plan.quantity), "of": self._plan.quantity})

    def _count(self, tried: Tried) -> None:
        self._transcript.add(Ended(tried.place, tried.session, (), tried.said))
        self._counted.append(tried._replace(said=()))

    def _judge(self) -> None:
        """Whether it is of any use to go on."""
        last = self._counted[-1]
        why = last.why[:300] or last.reason or "nobody was sure which answer is the better"
        telling = [one for one in self._counted[-2 * OUTAGE :] if one.reason != ALIKE][-OUTAGE:]
        if len(telling) == OUTAGE and all(one.transport for one in telling):
            self._ended = "outage"
            self._why = f"{OUTAGE} prompts in a row had no answer: {why}"
        recent = self._counted[-HOPELESS:]
        if len(recent) == HOPELESS and not any(one.sure for one in recent):
            self._ended = "hopeless"
            self._why = f"{HOPELESS} prompts in a row gave no pair to be sure of: {why}"


def prompts(plan: Plan) -> Iterator[Problem]:
    """The prompts of the part: each once, and none of another part."""
    return islice(_different(plan), plan.first, plan.first + plan.prompts)


def _different(plan: Plan) -> Iterator[Problem]:
    seen: set[str] = set()
    fruitless = 0
    for one in plan.type.problems(plan.seed, plan.difficulty):
        if one.id not in seen:
            seen.add(one.id)
            fruitless = 0
            yield one
        elif (fruitless := fruitless + 1) >= FRUITLESS:
            return


def _silent(counted: list[Tried]) -> bool:
    """Whether nobody answered any of them; what the writer alone has spoilt says nothing."""
    telling = [one for one in counted if one.reason != ALIKE]
    return bool(telling) and all(one.transport for one in telling)


def _enough(counted: list[Tried], quantity: int) -> list[Tried]:
    """Those with a pair, up to the last one that is wanted."""
    found, sure = [], 0
    for one in counted:
        if sure == quantity:
            break
        if not one.reason:
            found.append(one)
            sure += one.sure
    return found
