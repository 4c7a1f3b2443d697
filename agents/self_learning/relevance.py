"""How much a learning matters to a role, from 0 to 1.

By words: the share of what a learning speaks of, in words that any role knows, that this role
speaks of too. A word counts the less, the more roles know it; words that none knows tell nothing,
but a learning with little else is relevant to nobody. No logarithms: the same score on every
machine, to the last digit. A role that listens to a topic among the tags, or that learns from the
role whose learning it is, need share no word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from agents.self_learning.words import words
from events.catalog.learnings import Relevance
from events.catalog.roles import RoleProfile

UNSAID = 0.5
"""What stands beside the known words of every learning: half a word that is one role's own."""
TAG = 2.0
"""A tag says what a learning is about, so it counts for two words."""


class Interest(NamedTuple):
    """What a role cares about."""

    words: tuple[str, ...]
    parent: str = ""
    topics: tuple[str, ...] = ()
    """Patterns that the role, or a model of it, listens to."""


def spoken_of(profile: RoleProfile) -> tuple[str, ...]:
    """The words of a role: its name, what it is for, what it works with and is held to."""
    parts: list[str] = [profile.name, profile.purpose, profile.model_type]
    parts += [tool.server for tool in profile.tools]
    parts += [system.system for system in profile.admin_systems]
    parts += [rule.rule for rule in profile.alignment]
    return tuple(sorted(set(words(" ".join(parts).replace("_", " ")))))


def relevances(
    text: str, tags: Sequence[str], author: str, interests: Mapping[str, Interest]
) -> list[Relevance]:
    """Of every role but the author, the highest first."""
    known: dict[str, int] = {}
    for interest in interests.values():
        for word in interest.words:
            known[word] = known.get(word, 0) + 1
    weights = _weights(text, tags, known)
    whole = UNSAID + sum(weights.values())
    found = [
        _of(role, one, weights, whole, tags, author)
        for role, one in interests.items()
        if role != author
    ]
    return sorted(found, key=lambda one: (-one.score, one.role))


def _weights(text: str, tags: Sequence[str], known: Mapping[str, int]) -> dict[str, float]:
    tagged = set(words(" ".join(tags).replace("_", " ").replace(".", " ")))
    found = sorted(tagged | set(words(text)))
    return {word: (TAG if word in tagged else 1.0) / known[word] for word in found if word in known}


def _of(
    role: str,
    interest: Interest,
    weights: Mapping[str, float],
    whole: float,
    tags: Sequence[str],
    author: str,
) -> Relevance:
    if any(listens(pattern, tag.lower()) for pattern in interest.topics for tag in tags):
        return Relevance(role=role, score=1.0, because="subscription")
    if author and interest.parent == author:
        return Relevance(role=role, score=1.0, because="parent")
    shared = sum(weights.get(word, 0.0) for word in interest.words)
    return Relevance(role=role, score=round(shared / whole, 3), because="words")


def listens(pattern: str, topic: str) -> bool:
    """Whether who listens to the pattern hears the topic."""
    asked, said = pattern.split("."), topic.split(".")
    if asked[-1] == ">":
        asked = asked[:-1]
        if len(said) <= len(asked):
            return False
        said = said[: len(asked)]
    return len(asked) == len(said) and all(
        one in ("*", other) for one, other in zip(asked, said, strict=True)
    )


def interested(patterns: Iterable[tuple[str, Sequence[str]]], topic: str) -> list[str]:
    """Who listens to a topic, of (member, patterns), in the order of their names."""
    return sorted(member for member, asked in patterns if any(listens(one, topic) for one in asked))
