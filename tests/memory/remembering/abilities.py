"""Five abilities of a memory, asked of one made by a seed: the same seed, the same questions.

A person has facts in several sessions, some of which change. The questions are worded as the facts
are, or in other words (`other`), as people ask. A question is answered right when exactly what has
to be found is among the first answers, and what no longer holds is not.

    single    one fact of one session
    sessions  three facts told in three sessions, all of which have to be found
    time      what was so at a time that is past
    updated   what is so now, and no longer what was so before
    unknown   what nobody ever told: nothing may be found
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from agents.self_learning import SELF_LEARNING
from events.catalog.memories import MemoryProposed
from events.envelope import format_time
from events.fact import Fact, decided
from events.message import Event
from memory.remembering.memories import MEMORIES
from memory.remembering.recall import Reader, Recalled, estimated_tokens, known_to, recall
from memory.remembering.searching import Match, Passage, Search
from tests.agents.self_learning.roles import SUPPORT

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
NOW = BEGIN + timedelta(days=300)
READER = Reader("support")
LIMIT = 5
BUDGET = 512
ABILITIES = ("single", "sessions", "time", "updated", "unknown")
FIRST = ("Mara", "Piet", "Ana", "Jon", "Lena", "Omar", "Ines", "Karl", "Yuki", "Tom")
LAST = ("Voss", "Kuiper", "Ruiz", "Bell", "Sato", "Haddad", "Lund", "Novak", "Okoye", "Stern")


class Trait(NamedTuple):
    """Something to know of a person: how it is told, how it is asked, and what it can be."""

    name: str
    told: str
    asked: str
    other: str
    values: Sequence[str]


ONCE = (
    Trait("pet", "{0} has a pet {1}.", "What pet does {0} have?",
          "Which animal lives with {0}?", ("parrot", "rabbit", "tortoise", "ferret")),
    Trait("allergy", "{0} is allergic to {1}.", "What is {0} allergic to?",
          "Which food makes {0} ill?", ("peanuts", "shellfish", "wheat", "sesame")),
    Trait("degree", "{0} studied {1}.", "What did {0} study?",
          "Which degree did {0} take?", ("botany", "history", "statistics", "physics")),
    Trait("colour", "The favourite colour of {0} is {1}.", "What is the favourite colour of {0}?",
          "Which shade does {0} like best?", ("teal", "crimson", "ochre", "indigo")),
)  # fmt: skip
CHANGING = (
    Trait("city", "{0} lives in {1}.", "Where does {0} live, in which city?",
          "What town is home to {0}?", ("Lisbon", "Oslo", "Lyon", "Turin", "Graz")),
    Trait("job", "{0} works as a {1}.", "What does {0} work as?",
          "How does {0} earn money?", ("baker", "welder", "notary", "surveyor", "florist")),
    Trait("plan", "{0} is on the {1} plan.", "Which plan is {0} on?",
          "What subscription has {0}?", ("basic", "family", "business", "premium", "student")),
)  # fmt: skip
PLAYED = Trait("instruments", "{0} plays the {1}.", "What does {0} play?",
               "Which instruments has {0} learned?",
               ("cello", "oboe", "harp", "drums", "flute", "banjo"))  # fmt: skip
NEVER = (
    ("What is the blood type of {0}?", "Which blood group has {0}?"),
    ("What is the shoe size of {0}?", "How large are the feet of {0}?"),
    ("Which passport does {0} carry?", "Of what nationality is {0}?"),
)


class Question(NamedTuple):
    """What is asked, of which moment, and what has to be found or must not be."""

    ability: str
    text: str
    at: datetime
    needs: frozenset[str]
    forbids: frozenset[str] = frozenset()


class Memory(NamedTuple):
    """A memory and the questions to it."""

    rows: Sequence[dict[str, Any]]
    questions: Sequence[Question]


def made(seed: int, people: int = 30, other: bool = False) -> Memory:
    """Told through the agent and the projection, as in life."""
    random, told = Random(seed), _Teller()
    names = random.sample([f"{one} {two}" for one in FIRST for two in LAST], people + 5)
    questions: list[Question] = []

    def ask(ability: str, trait: Trait, name: str, *needs: str, **more: Any) -> None:
        wording = trait.other if other else trait.asked
        fields = {"at": NOW, **more}
        questions.append(Question(ability, wording.format(name), needs=frozenset(needs), **fields))

    for name in names[:people]:
        key = name.lower().replace(" ", "-")
        for trait in ONCE:
            text = trait.told.format(name, random.choice(trait.values))
            item = told.at(random.randrange(0, 60), text, f"{key}/{trait.name}", random)
            ask("single", trait, name, item)
        for trait in CHANGING:
            before, behind = random.sample(trait.values, 2)
            day = random.randrange(100, 200)
            about = f"{key}/{trait.name}"
            old = told.at(random.randrange(0, 60), trait.told.format(name, before), about, random)
            new = told.at(day, trait.told.format(name, behind), about, random)
            then = BEGIN + timedelta(days=day - 1)
            ask("updated", trait, name, new, forbids=frozenset({old}))
            ask("time", trait, name, old, at=then, forbids=frozenset({new}))
        plays = [
            told.at(40 + 50 * number, PLAYED.told.format(name, value), "", random)
            for number, value in enumerate(random.sample(PLAYED.values, 3))
        ]
        ask("sessions", PLAYED, name, *plays)
        for asked, reworded in NEVER:
            text = (reworded if other else asked).format(name)
            questions.append(Question("unknown", text, NOW, frozenset()))
    for name in names[people:]:
        ask("unknown", CHANGING[0], name)
    return Memory(told.rows(), questions)


class _Teller:
    """Gathers what is told, and then tells it in the order of time."""

    def __init__(self) -> None:
        self._told: list[tuple[datetime, str, Event]] = []

    def at(self, day: int, text: str, about: str, random: Random) -> str:
        moment = BEGIN + timedelta(days=day, minutes=random.randrange(600))
        name = f"m{len(self._told):05d}"
        event = MemoryProposed(role="support", text=text, about=about or None)
        self._told.append((moment, name, event))
        return name

    def rows(self) -> list[dict[str, Any]]:
        state, kept = SELF_LEARNING.initial, dict[str, Any]()
        history = [(BEGIN, "role", SUPPORT), *sorted(self._told, key=_when)]
        for position, (moment, name, event) in enumerate(history, 1):
            told = Fact(event, name, position, format_time(moment), "test", None)
            state = SELF_LEARNING.evolve(state, told)
            decisions = SELF_LEARNING.decide(state, told)
            state = SELF_LEARNING.folded(state, told, decisions)
            facts = [told, *(decided(one, f"d{position}", told, "agent") for one in decisions)]
            for one in facts:
                if one.event.wire in MEMORIES.hears:
                    MEMORIES.apply(kept, one)
        return list(kept.values())


def _when(one: tuple[datetime, str, Event]) -> tuple[datetime, str]:
    return one[0], one[1]


def right(question: Question, found: Recalled) -> bool:
    """Whether the answer is right."""
    names = {one.id for one in found.items}
    if question.ability == "unknown":
        return not names
    return question.needs <= names and not question.forbids & names


async def scores(memory: Memory, search: Search) -> dict[str, float]:
    """By ability, the share of questions that is answered right."""
    marks: dict[str, list[bool]] = {one: [] for one in ABILITIES}
    for question in memory.questions:
        found = await recall(question.text, memory.rows, READER, search, question.at, BUDGET, LIMIT)
        marks[question.ability].append(right(question, found))
    return {ability: sum(found) / len(found) for ability, found in marks.items()}


class Newest:
    """A baseline that looks for nothing: the newest memories, as many as fit. It never abstains."""

    name, bar = "newest", 0.0

    async def find(self, question: str, among: Sequence[Passage], limit: int) -> Sequence[Match]:  # noqa: ARG002
        newest = sorted(among, reverse=True)[:limit]
        return [Match(one.id, 1.0) for one in newest]


def tokens_of_all(memory: Memory) -> int:
    """What a window would have to hold for no search to be needed: the full-context baseline."""
    return sum(estimated_tokens(row["text"]) for row in known_to(memory.rows, READER, NOW))
