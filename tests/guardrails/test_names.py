"""Names are found where a text says that they are names, and nowhere else."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from guardrails.personal import findings, redacted
from guardrails.secrets import findings as secrets
from trainers.model_types import TYPES, model_type

FIRST = ["Ann", "Jörg", "Li", "María José", "Jean-Luc", "Şebnem", "J. R.", "Zoë", "Đorđe", "Ngozi"]
LAST = [
    "Smith",
    "O'Neil",
    "Müller",
    "de la Cruz",
    "van der Berg",
    "Keller-Braun",
    "Öztürk",
    "McKay",
]
TITLES = ["Mr.", "Mrs", "Ms.", "Dr.", "Prof. Dr.", "Herr", "Frau", "Monsieur", "Señora", "Miss"]
LABELS = ["Customer name", "patient name", "Full name", "Name", '"name"', "contact_name", "Nom"]
SINGLE = ["First name", "last_name", "Vorname", "Nachname", "prénom", "Apellidos", "Cognome"]
SAID = ["my name is", "My name's", "Ich heiße", "je m'appelle", "Me llamo", "I am called"]
AROUND = ["{}", "Yesterday {} called.", "- {}\n- paid", "(see {}, and more)", "ok; {}!"]
TWINS = """\
name: arithmetic_reasoning
"name": "sentiment"
Name: Acme Router
Product name: Super Mixer
file name: Final Report
Company name: Blue Ocean Trading Ltd
Miss Universe was on
the Dr. is in
my name is on the list
my name is not important
Ms Windows and Mr. President of the board
host name = Alpha Server
I called Paris and Rome
def name(first, last): return first
name=John
Team Name: Red Dragons Club
NAME: JOHN SMITH STREET
Mr and Mrs
Frau im Mond
last name is required
First name: ____
surname:
Dr. med.
prof. of physics
"""


def told(luck: random.Random) -> tuple[str, str]:
    """A sentence with a name in it, and the name."""
    first, last = luck.choice(FIRST), luck.choice(LAST)
    match luck.randrange(4):
        case 0:
            name = luck.choice([last, f"{first} {last}"])
            said = f"{luck.choice(TITLES)} {name}"
        case 1:
            name = f"{first} {last}"
            said = f"{luck.choice(LABELS)}: {name}"
        case 2:
            name = luck.choice([first, last])
            said = f"{luck.choice(SINGLE)}{luck.choice([': ', '=', ' : '])}{name}"
        case _:
            name = f"{first} {last}"
            said = f"{luck.choice(SAID)} {name}"
    around = luck.choice(AROUND)
    if said.partition(":")[0] in ("Name", '"name"', "Nom", "Full name"):
        around = luck.choice(["{}", "{}, born there", "a list\n{}\nand more"])
    return around.format(said), name


def test_95_of_100_names_that_are_told_as_such_are_found_whole() -> None:
    luck, missed = random.Random(3), []
    for _ in range(1000):
        text, name = told(luck)
        at = text.index(name)
        if not any(one.start <= at and one.end >= at + len(name) for one in findings(text)):
            missed.append(text)
    assert len(missed) <= 50, missed[:10]


@pytest.mark.parametrize("text", TWINS.splitlines())
def test_what_only_looks_so_is_left(text: str) -> None:
    assert findings(text) == []


def test_days_of_birth_are_found_behind_their_label_only() -> None:
    for text in ("DOB: 1980-02-03", "born on 3 May 1980", "Geburtsdatum: 03.05.1980"):
        assert [one.kind for one in findings(text)] == ["BIRTH"]
    assert findings("delivered on 3 May 1980, version 03.05.1980") == []


def test_the_title_stays_and_the_name_goes() -> None:
    text = "Dear Dr. Maria Keller, Mr. and Mrs. Smith came. Last name: O'Neil"
    masked = "Dear Dr. [NAME], Mr. and Mrs. [NAME] came. Last name: [NAME]"
    assert redacted(text).text == masked


@pytest.mark.parametrize("name", TYPES)
def test_in_texts_of_our_own_making_nothing_is_found(name: str) -> None:
    kind = model_type(name)
    for problem in islice(kind.problems(seed=11, difficulty=0.7), 150):
        text = f"{problem.prompt}\n{kind.completion(kind.solve(problem))}\n{problem.answer}"
        assert [*findings(text), *secrets(text)] == [], text


def test_many_beginnings_of_names_cost_no_more_than_their_length() -> None:
    for text in ("Mr. " * 20_000, "name: " * 20_000, "Mr. A " * 20_000, "my name is " * 10_000):
        findings(text)
