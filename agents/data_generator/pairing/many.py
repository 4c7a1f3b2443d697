"""Many prompts at the same time, and the pairs that come of them: one part of a set."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from agents.data_generator.collaboration.inorder import (
    HOPELESS,
    OUTAGE,
    End,
    Reason,
    Tell,
    in_order,
)
from agents.data_generator.collaboration.journal import Journal
from agents.data_generator.collaboration.session import Ended, Said
from agents.data_generator.collaboration.transcript import Transcript
from agents.data_generator.pairing.plan import Desk, Plan
from agents.data_generator.pairing.scoring import LATER, is_sure, pair_of, scored
from agents.data_generator.pairing.writing import ALIKE, example_of, written
from guardrails.caller import Caller
from trainers.model_types.kind import Problem


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
    ended: Reason
    why: str


async def paired(plan: Plan, caller: Caller, journal: Journal, tell: Tell) -> Came:
    """Make the pairs of a part. The journal's budget is the plan's, with what was spent before."""
    with Transcript(journal.path.with_suffix(".transcript.jsonl")) as transcript:
        work = _Work(plan, caller, journal, transcript)
        return work.came(await in_order(plan, work, tell))


class _Work:
    """One part under way."""

    def __init__(
        self, plan: Plan, caller: Caller, journal: Journal, transcript: Transcript
    ) -> None:
        self._plan, self._caller, self._journal = plan, caller, journal
        self._transcript, self._example = transcript, example_of(plan)
        self._counted: list[Tried] = []

    def came(self, ended: End) -> Came:
        """What came of all of them."""
        fruitless = Counter(one.reason for one in self._counted if one.reason)
        return Came(
            _enough(self._counted, self._plan.quantity),
            dict(sorted(fruitless.items())),
            self._transcript.path,
            self._plan.budget.spent(),
            _silent(self._counted),
            ended.reason,
            ended.why,
        )

    async def tried(self, place: int, problems: tuple[Problem, ...]) -> Tried:
        """One prompt."""
        (problem,) = problems
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

    def won(self, result: Tried) -> int:
        return int(result.sure)

    def count(self, result: Tried) -> None:
        """What was said of it is written down, and not kept here."""
        self._transcript.add(Ended(result.place, result.session, (), result.said))
        self._counted.append(result._replace(said=()))

    def hope(self) -> End:
        """There is none where prompt after prompt gives no pair."""
        last = self._counted[-1]
        why = last.why[:300] or last.reason or "nobody was sure which answer is the better"
        telling = [one for one in self._counted[-2 * OUTAGE :] if one.reason != ALIKE][-OUTAGE:]
        recent = self._counted[-HOPELESS:]
        if len(recent) == HOPELESS and not any(one.sure for one in recent):
            what = f"{HOPELESS} prompts in a row gave no pair to be sure of"
            return End("hopeless", f"{what}: {why}")
        if len(telling) == OUTAGE and all(one.transport for one in telling):
            return End("outage", f"{OUTAGE} prompts in a row had no answer: {why}")
        return End()


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
