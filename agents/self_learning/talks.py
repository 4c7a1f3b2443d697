"""Sessions of several models: who has said what in which round, and what came of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from agents.self_learning.likeness import Print, imprint, same
from events.catalog.learnings import (
    Aggregate,
    CollaborationBegun,
    ContributionMade,
    ContributionRefused,
    ContributionTaken,
    Participant,
    RoundOpened,
)
from events.fact import Fact

MOST_INSIGHTS = 64
"""Different learnings that a session gathers; what is told beyond them is not."""


class Said(NamedTuple):
    """The newest that a participant has said."""

    text: str
    choice: str | None
    confidence: float
    round: int

    @property
    def vote(self) -> str:
        """What is counted: the choice, or the text where there is none, written alike."""
        return " ".join((self.choice or self.text).casefold().split())


class Insight(NamedTuple):
    """A learning of a session, and who says so."""

    text: str
    tags: tuple[str, ...]
    print: Print
    by: tuple[str, ...]


class Talk(NamedTuple):
    """A session under way. What has ended is forgotten here."""

    participants: tuple[Participant, ...]
    rounds: int
    minutes: float
    aggregate: Aggregate
    round: int = 0
    due: datetime | None = None
    """When this round is over."""
    spoken: tuple[str, ...] = ()
    """Who has said something in this round."""
    said: dict[str, Said] = {}  # noqa: RUF012  (never changed in place, as all of a state)
    insights: tuple[Insight, ...] = ()
    offered: ContributionMade | None = None
    """A contribution that is being looked at."""

    @property
    def lead(self) -> str:
        return next(one.member for one in self.participants if one.part == "lead")

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(one.member for one in self.participants)


class Result(NamedTuple):
    """What a session came to."""

    said: Said
    by: str
    support: float


def begun(event: CollaborationBegun) -> Talk:
    return Talk(event.participants, event.rounds, event.round_minutes, event.aggregate)


def heard(talk: Talk, told: Fact) -> Talk:
    """The session after one more fact."""
    match told.event:
        case RoundOpened(round=number, due=due):
            return talk._replace(round=number, due=due, spoken=())
        case ContributionMade() as offered:
            return talk._replace(offered=offered)
        case ContributionTaken():
            return with_offered(talk)
        case ContributionRefused():
            return talk._replace(offered=None)
        case _:
            return talk


def with_offered(talk: Talk) -> Talk:
    """The session in which the contribution counts that is being looked at."""
    if talk.offered is None:
        return talk
    one = talk.offered
    said = Said(one.text, one.choice, one.confidence, one.round)
    insights = talk.insights
    for lesson in one.learnings:
        insights = _gathered(insights, Insight(lesson.text, lesson.tags, imprint(lesson.text),
                                               (one.member,)))  # fmt: skip
    return talk._replace(
        spoken=(*talk.spoken, one.member),
        said={**talk.said, one.member: said},
        insights=insights,
        offered=None,
    )


def _gathered(known: tuple[Insight, ...], new: Insight) -> tuple[Insight, ...]:
    for place, one in enumerate(known):
        if same(one.print, new.print):
            by = tuple(dict.fromkeys((*one.by, *new.by)))
            tags = tuple(dict.fromkeys((*one.tags, *new.tags)))[:16]
            return (*known[:place], one._replace(by=by, tags=tags), *known[place + 1 :])
    return known if len(known) >= MOST_INSIGHTS else (*known, new)


def result(talk: Talk) -> Result | None:
    """What the participants have come to, or nothing where nobody said anything.

    Each counts once, with what it said last. Of equal results that of whom was named first wins.
    """
    if not talk.said:
        return None
    inside = [(one, talk.said[one]) for one in talk.members if one in talk.said]
    whole = _sum(said.confidence for _, said in inside)
    behind = {
        vote: _sum(said.confidence for _, said in inside if said.vote == vote)
        for vote in dict.fromkeys(said.vote for _, said in inside)
    }
    if talk.aggregate == "lead" and talk.lead in talk.said:
        winner = talk.said[talk.lead].vote
        by = talk.lead
    elif talk.aggregate == "surest":
        by, surest = max(inside, key=lambda one: one[1].confidence)
        winner = surest.vote
    else:
        winner = max(behind, key=lambda vote: behind[vote])
        voters = [one for one in inside if one[1].vote == winner]
        by = max(voters, key=lambda one: one[1].confidence)[0]
    support = round(behind[winner] / whole, 3) if whole else 0.0
    return Result(talk.said[by], by, support)


def agreed(talk: Talk) -> bool:
    """Whether all have spoken in this round, and all want the same."""
    return set(talk.spoken) == set(talk.members) and len(
        {said.vote for said in talk.said.values()}
    ) == 1  # fmt: skip


def _sum(shares: Iterable[float]) -> float:
    """In steps of a thousandth, so that no order of adding makes a difference."""
    return sum(round(1000 * share) for share in shares) / 1000
