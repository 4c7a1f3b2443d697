"""What models are told by each other is looked through at the door, as is what they remember and
what is known to all.

The log forgets nothing that is not sealed, and these texts are not: so what holds a secret, or
somebody's data by its format, is refused, and told by its kind. It is not masked: what stands in
the log is what somebody said, and the same id gets the same answer. What is about a person has
events of its own, whose texts are sealed under that person's key; a secret is none of a person's,
and is refused there, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from events.envelope import Draft
from events.errors import Refused

LOOKED_THROUGH: dict[str, tuple[str, ...]] = {
    "CollaborationRequested": ("task",),
    "ContributionMade": ("text", "choice", "learnings"),
    "EraseRequested": ("reason",),
    "KnowledgeAdded": ("text", "tags", "source"),
    "KnowledgeWithdrawn": ("reason",),
    "LearningOffered": ("text", "tags"),
    "MemoryProposed": ("text", "about", "tags"),
    "MessageSent": ("text",),
    "PersonalKnowledgeAdded": ("tags",),
    "PersonalMemoryProposed": ("about", "tags"),
    "ReplySent": ("text",),
    "TopicPublished": ("text",),
}
"""Fields of events that anyone may publish, and that models read or the log keeps for ever."""
SEALED: dict[str, tuple[str, ...]] = {
    "PersonalKnowledgeAdded": ("text",),
    "PersonalMemoryProposed": ("text",),
}
"""Fields that may speak of their person, and hold no secret all the same."""
PASSING: dict[str, frozenset[str]] = {
    wire: frozenset({"markup", "IP"})
    for wire in ("KnowledgeAdded", "KnowledgeWithdrawn", "PersonalKnowledgeAdded")
}
"""Knowledge is shown to models as a quotation only, and may name machines."""
SCHEDULED = "ScheduleDefined"
"""Publishes another event again and again."""
RIGHT = {
    "secret": "the text without it; and a new secret, if it was a real one",
    "personal": "the text without it; about a person, PersonalMemoryProposed,"
    " PersonalKnowledgeAdded or FeedbackReceived",
    "markup": "plain text, without marks of chat templates and without signs that nobody sees",
}


class Unfit(Refused):
    """It holds what no model may be told by another."""


def is_looked_through(wire: str) -> bool:
    """Whether its texts are looked through, which loads detectors the first time."""
    return wire in LOOKED_THROUGH or wire == SCHEDULED


def fit(one: Draft) -> Draft:
    """The same, where it may be said; `Unfit` where not."""
    if is_looked_through(one.type):
        data = json.loads(one.data)
        _look(one.type, data, "")
        if one.type == SCHEDULED and (said := data.get("publish")):
            _look(said["type"], said["data"], "publish.data.")
    return one


def speaks_of_somebody(wire: str, body: str) -> bool:
    """Whether a message that was refused holds what may not be kept, or cannot be read at all."""
    if not is_looked_through(wire):
        return False
    from guardrails.scanning import unfit

    try:
        found = [unfit(text) for text in _texts(json.loads(body))]
    except (ValueError, RecursionError):
        return True
    return any(one is not None and one.reason != "markup" for one in found)


def _look(wire: str, data: dict[str, Any], within: str) -> None:
    passing = PASSING.get(wire, frozenset())
    for fields, passed in (
        (LOOKED_THROUGH.get(wire, ()), passing),
        (SEALED.get(wire, ()), passing | {"personal"}),
    ):
        for field in fields:
            for text in _texts(data.get(field)):
                _must_be_fit(text, f"{within}{field}", passed)


def _must_be_fit(text: str, where: str, passing: frozenset[str]) -> None:
    from guardrails.scanning import unfit

    found = unfit(text.replace("\r\n", "\n"), passing=passing)
    if found is not None:
        raise Unfit(f"it holds {found.what}", where=where, right=RIGHT[found.reason])


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from _texts(one)
        case list():
            for one in value:
                yield from _texts(one)
