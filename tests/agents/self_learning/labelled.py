"""Roles and learnings made by a seed, each learning with the roles that it matters to.

A role knows a few of its domain's words, a learning speaks of others of them: whether both share
one is left to chance, as it is in life. Some learnings belong to two domains, some to none.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from agents.self_learning.relevance import Interest, spoken_of
from events.catalog.roles import RoleProfile

DOMAINS = {
    "billing": "invoice payment refund currency receipt tax discount card balance due",
    "parcels": "parcel delivery courier address customs label pickup warehouse transit depot",
    "code": "function test exception import branch compiler variable loop review commit",
    "medicine": "dose patient symptom allergy tablet fever nurse blood diagnosis ward",
    "weather": "rain storm wind forecast temperature cloud snow pressure humidity front",
    "kitchen": "recipe oven dough butter knife simmer flour spice roast pan",
    "law": "contract clause court appeal tenant liability witness statute verdict deed",
    "sport": "match goal referee league coach penalty stadium injury season transfer",
    "travel": "flight hotel visa luggage boarding itinerary airport passenger gate ticket",
    "garden": "soil seed prune compost frost bulb watering pest greenhouse root",
}
FRAMES = (
    "Ask about the {0} before the {1} is mentioned.",
    "When the {0} is unclear, a short question on the {1} helps.",
    "People name the {0} wrongly when the {1} is new to them.",
    "An answer that repeats the {0} and then the {1} is rated better.",
)
GENERAL = (
    "Short answers are rated better in the morning.",
    "A greeting makes people more patient.",
    "Lists of more than five points are not read to the end.",
)
KNOWN = 6
"""Words of its domain that a role's purpose names, of ten."""


class Labelled(NamedTuple):
    """A learning, and whom it matters to."""

    text: str
    author: str
    relevant: frozenset[str]


def interests(seed: int) -> dict[str, Interest]:
    """Two roles for each domain."""
    random, made = Random(seed), {}
    for domain, text in DOMAINS.items():
        for number in (1, 2):
            known = random.sample(text.split(), KNOWN)
            purpose = f"Helps customers with {', '.join(known[:-1])} and {known[-1]}."
            name = f"{domain}-{number}"
            profile = RoleProfile(name=name, purpose=purpose, model_type="support_replies")
            made[name] = Interest(spoken_of(profile))
    return made


def learnings(seed: int, many: int) -> Iterator[Labelled]:
    """Seven of ten of one domain, two of two, one of none."""
    random, names = Random(f"learnings {seed}"), sorted(DOMAINS)
    for number in range(many):
        frame = random.choice(FRAMES)
        author = f"{random.choice(names)}-1"
        one, other = random.sample(names, 2)
        if number % 10 == 9:
            yield Labelled(random.choice(GENERAL), author, frozenset())
            continue
        about = (one, other) if number % 10 in (7, 8) else (one, one)
        words = [random.choice(DOMAINS[domain].split()) for domain in about]
        if about[0] == about[1]:
            words = random.sample(DOMAINS[one].split(), 2)
        relevant = {f"{domain}-{k}" for domain in about for k in (1, 2)} - {author}
        yield Labelled(frame.format(*words), author, frozenset(relevant))
