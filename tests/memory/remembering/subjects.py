"""Machines and services, of each of which some things are told and others are not.

Harder than the five abilities: what is asked of one subject is told of others, and of it are told
other things. Neither shares nor bars were chosen on it. The questions are worded as the facts are,
or in other words.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from memory.remembering.searching import Passage, Search

LIMIT = 5
SHARE = 0.6
"""Of what could be told of a subject, what is."""


class Thing(NamedTuple):
    """Something to tell of a subject: the fact, the question, and that in other words."""

    told: str
    asked: str
    other: str
    values: Sequence[str]


class Kind(NamedTuple):
    """Subjects of one kind, what can be told of them, and what nobody ever tells."""

    subjects: Sequence[str]
    things: Sequence[Thing]
    never: Sequence[tuple[str, str]]


MACHINES = Kind(
    ("Press Alba", "Lathe Boreas", "Robot Ceres", "Oven Dorado", "Crane Emir", "Pump Falke",
     "Saw Galen", "Conveyor Hesper", "Furnace Ibis", "Mill Juno"),
    (
        Thing("{0} stands in hall {1}.", "In which hall does {0} stand?",
              "Where in the plant can {0} be found?", ("one", "four", "seven")),
        Thing("{0} is greased every {1}.", "How often is {0} greased?",
              "At which interval does {0} get lubricated?", ("day", "week", "month")),
        Thing("{0} was bought in {1}.", "When was {0} bought?",
              "Since which year do we own {0}?", ("2009", "2016", "2021")),
        Thing("{0} is operated by {1}.", "Who operates {0}?",
              "Which worker handles {0}?", ("Hugo", "Nadia", "Teresa", "Wim")),
        Thing("{0} stops when {1}.", "When does {0} stop?", "What makes {0} break down?",
              ("the door is open", "the oil is cold", "dust gets in", "the belt slips")),
        Thing("{0} produces {1} parts an hour.", "How many parts an hour does {0} produce?",
              "What is the output of {0}?", ("60", "240", "900")),
        Thing("Spare parts of {0} come from {1}.", "Where do spare parts of {0} come from?",
              "Who supplies replacements for {0}?", ("Brno", "Osaka", "Bilbao")),
        Thing("{0} needs a voltage of {1}.", "What voltage does {0} need?",
              "Which electrical connection is required by {0}?", ("230 volts", "400 volts")),
    ),
    (
        ("How loud is {0}?", "What noise level has {0}?"),
        ("Which insurance covers {0}?", "Who pays if {0} burns down?"),
        ("What is the serial number of {0}?", "Which identification plate has {0}?"),
        ("When is {0} replaced?", "In what year will {0} be scrapped?"),
        ("Which software version runs on {0}?", "What firmware has {0}?"),
    ),
)  # fmt: skip
SERVICES = Kind(
    tuple(f"the {one} service" for one in ("billing", "search", "login", "export", "mail",
                                           "image", "quota", "audit", "chat", "report")),
    (
        Thing("{0} is written in {1}.", "In which language is {0} written?",
              "What was {0} programmed in?", ("Go", "Kotlin", "Python", "Rust")),
        Thing("{0} keeps its data in {1}.", "Where does {0} keep its data?",
              "Which database is behind {0}?", ("Postgres", "Redis", "Cassandra")),
        Thing("{0} belongs to team {1}.", "To which team does {0} belong?",
              "Who is responsible for {0}?", ("Otter", "Heron", "Badger", "Lynx")),
        Thing("{0} is deployed on {1}.", "When is {0} deployed?",
              "Which weekday sees releases of {0}?", ("Mondays", "Tuesdays", "Thursdays")),
        Thing("{0} answers within {1} milliseconds.", "Within how many milliseconds does {0} "
              "answer?", "How fast is {0}?", ("20", "80", "300")),
        Thing("{0} fails when {1}.", "When does {0} fail?", "What causes outages of {0}?",
              ("the cache is empty", "a certificate expires", "the queue is full")),
        Thing("Alarms of {0} go to {1}.", "Where do alarms of {0} go?",
              "Who gets woken up if {0} is broken?", ("Priya", "Marcus", "Elif")),
        Thing("{0} listens on port {1}.", "On which port does {0} listen?",
              "Which network socket is opened by {0}?", ("8080", "9443", "7001")),
    ),
    (
        ("How many lines of code has {0}?", "How large is the source of {0}?"),
        ("What is the licence of {0}?", "Is {0} open source?"),
        ("How much does {0} cost a month?", "Which expenses does {0} cause?"),
        ("When was the first commit of {0}?", "How old is {0}?"),
        ("Which region hosts {0}?", "In what data centre does {0} run?"),
    ),
)  # fmt: skip


class Asked(NamedTuple):
    """A question, and the fact that answers it; none where nothing does."""

    text: str
    answer: str | None


class Told(NamedTuple):
    """Facts of one kind, and the questions to them."""

    facts: Sequence[Passage]
    questions: Sequence[Asked]


def told(kind: Kind, seed: int, subjects: int = 6, other: bool = False) -> Told:
    """The same seed, the same facts; two more subjects are asked for of which nothing is told."""
    luck = Random(seed)
    some = luck.sample(list(kind.subjects), subjects + 2)
    facts: list[Passage] = []
    questions: list[Asked] = []
    for subject in some[:subjects]:
        for thing in kind.things:
            answer = None
            if luck.random() < SHARE:
                answer = f"{len(facts):03d}"
                said = thing.told.format(subject, luck.choice(thing.values))
                facts.append(Passage(answer, said[0].upper() + said[1:]))
            wording = thing.other if other else thing.asked
            questions.append(Asked(wording.format(subject), answer))
        questions += [Asked(pair[other].format(subject), None) for pair in kind.never]
    for subject in some[subjects:]:
        for thing in kind.things[:4]:
            wording = thing.other if other else thing.asked
            questions.append(Asked(wording.format(subject), None))
    return Told(facts, questions)


async def marks(told: Told, search: Search) -> tuple[list[bool], list[bool]]:
    """Of the questions with an answer, which were answered; of the others, which got none."""
    answered, abstained = [], []
    for one in told.questions:
        found = await search.find(one.text, told.facts, 4 * LIMIT)
        names = [match.id for match in found if match.score >= search.bar][:LIMIT]
        if one.answer is None:
            abstained.append(not names)
        else:
            answered.append(one.answer in names)
    return answered, abstained
