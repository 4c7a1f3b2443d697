"""Sessions: who takes part, when a round is over, what is concluded and passed on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from agents.self_learning.learning import Learning, passed_on
from agents.self_learning.relevance import relevances
from agents.self_learning.sending import not_a_member
from agents.self_learning.state import State, following
from agents.self_learning.talks import Insight, Talk, agreed, result, with_offered
from events.catalog.deadlines import DeadlineLifted, DeadlineSet
from events.catalog.learnings import (
    CollaborationAbandoned,
    CollaborationBegun,
    CollaborationConcluded,
    CollaborationRefused,
    CollaborationRequested,
    ContributionMade,
    ContributionRefused,
    ContributionTaken,
    Learned,
    Participant,
    RoundOpened,
)
from events.fact import Fact
from events.ids import derived_id
from events.message import Event

BEFORE = "collaboration/"
"""With this begins the key of a deadline for a round."""
CHOSEN = 5
"""Roles that are taken where nobody was named."""
PASSED_ON = 8
"""Learnings of one session that are passed on at most."""


def asked(state: State, event: CollaborationRequested, told: Fact) -> Sequence[Event]:
    """A session begins with its first round, or is refused with a reason."""
    participants = event.participants or _chosen(state, event.task)
    reason = _unfit(state, participants, bool(event.participants))
    if reason:
        return (CollaborationRefused(reason=reason),)
    name = derived_id("collaboration", told.id).replace("-", "")[:12]
    begun = CollaborationBegun(
        collaboration=name,
        task=event.task,
        participants=participants,
        rounds=event.rounds,
        round_minutes=event.round_minutes,
        aggregate=event.aggregate,
    )
    return (begun, *_opened(name, 1, event.round_minutes, told))


def _chosen(state: State, task: str) -> tuple[Participant, ...]:
    """The roles for which the task is most relevant; the first of them leads."""
    scored = relevances(task, (), "", state.interests())
    fit = [one.role for one in scored if one.score >= state.policy.relevance][:CHOSEN]
    return tuple(
        Participant(member=role, part="contributor" if place else "lead")
        for place, role in enumerate(fit)
    )


def _unfit(state: State, participants: Sequence[Participant], named: bool) -> str:
    for one in participants:
        reason = not_a_member(state, one.member)
        if reason:
            return reason
    if len(participants) < 2:
        how = "a session has at least two" if named else "the task suits too few roles: name some"
        return f"{how} participants"
    leads = sum(one.part == "lead" for one in participants)
    if leads != 1:
        return f"{leads or 'nobody'} of them would lead it: one has to"
    many = len(state.talks)
    most = state.policy.open_collaborations
    return f"{many} sessions are under way, and no more may be" if many >= most else ""


def _opened(name: str, number: int, minutes: float, told: Fact) -> Sequence[Event]:
    due = told.time + timedelta(minutes=minutes)
    return (
        RoundOpened(collaboration=name, round=number, due=due),
        DeadlineSet(key=BEFORE + name, due=due),
    )


def contributed(state: State, event: ContributionMade, told: Fact) -> Sequence[Event]:
    """A contribution counts, and may be the last of its round."""
    name, talk = event.collaboration, state.talks.get(event.collaboration)
    reason = f"no session {name!r} is under way" if talk is None else _no(talk, event)
    if talk is None or reason:
        return (ContributionRefused(collaboration=name, member=event.member, reason=reason),)
    taken = ContributionTaken(collaboration=name, round=event.round, member=event.member)
    behind = with_offered(talk)
    if set(behind.spoken) != set(behind.members):
        return (taken,)
    return (taken, *_closed(following(state, told, (taken,)), name, behind, told))


def _no(talk: Talk, event: ContributionMade) -> str:
    if event.member not in talk.members:
        return f"{event.member!r} takes no part in it"
    if event.round != talk.round:
        return f"round {event.round} is not open, round {talk.round} is"
    return "it has spoken in this round already" if event.member in talk.spoken else ""


def overdue(state: State, name: str, due: datetime, told: Fact) -> Sequence[Event]:
    """The time for a round is over, whoever has not spoken."""
    talk = state.talks.get(name)
    if talk is None or talk.due != due:
        return ()
    return _closed(state, name, talk, told)


def _closed(state: State, name: str, talk: Talk, told: Fact) -> Sequence[Event]:
    """The next round, or the end: after the last, when all agree, or when nobody says more."""
    if talk.round < talk.rounds and talk.spoken and not agreed(talk):
        return _opened(name, talk.round + 1, talk.minutes, told)
    found = result(talk)
    lifted = DeadlineLifted(key=BEFORE + name)
    if found is None:
        return (CollaborationAbandoned(collaboration=name, reason="nobody said anything"), lifted)
    stand = [one for one in talk.insights if _stands(state, talk, one)][:PASSED_ON]
    concluded = CollaborationConcluded(
        collaboration=name,
        result=found.said.text,
        choice=found.said.choice,
        by=found.by,
        aggregate=talk.aggregate,
        support=found.support,
        rounds=talk.round,
        silent=tuple(one for one in talk.members if one not in talk.said),
        learnings=tuple(
            Learned(text=one.text, tags=one.tags, by=one.by, broadcast=one in stand)
            for one in talk.insights
        ),
    )
    answer: list[Event] = [concluded, lifted]
    for number, one in enumerate(stand):
        learning = _learning(derived_id("learning", told.id, number), talk, one, told)
        answer += passed_on(following(state, told, answer), learning, told)
    return answer


def _stands(state: State, talk: Talk, one: Insight) -> bool:
    """Whether enough of them, or the lead, stand behind it, and surely enough."""
    enough = len(one.by) >= state.policy.support or talk.lead in one.by
    return enough and _confidence(talk, one) >= state.policy.confidence


def _confidence(talk: Talk, one: Insight) -> float:
    """How sure the surest of those who say so was."""
    return max(talk.said[member].confidence for member in one.by)


def _learning(name: str, talk: Talk, one: Insight, told: Fact) -> Learning:
    role, _, model = one.by[0].partition("/")
    sure = _confidence(talk, one)
    return Learning(name, role, model or None, one.text, one.tags, sure, (told.id,))
