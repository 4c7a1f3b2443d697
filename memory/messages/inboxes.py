"""The inbox of every member: messages, replies, topics, learnings, rounds to speak in.

An inbox holds the newest letters only; older ones are in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from events.catalog.learnings import (
    CollaborationAbandoned,
    CollaborationBegun,
    CollaborationConcluded,
    LearningBroadcast,
    RoundOpened,
)
from events.catalog.messages import (
    MessageDelivered,
    MessageRefused,
    MessageSent,
    MessageUnanswered,
    ReplyDelivered,
    ReplySent,
    Subscribed,
    TopicDelivered,
    TopicPublished,
    Unsubscribed,
)
from events.envelope import format_time
from events.fact import Fact
from events.projection import Projection, State

MOST = 200
"""Letters of an inbox."""
_KINDS = (
    MessageSent, MessageDelivered, MessageRefused, ReplySent, ReplyDelivered, MessageUnanswered,
    Subscribed, Unsubscribed, TopicPublished, TopicDelivered, LearningBroadcast,
    CollaborationBegun, RoundOpened, CollaborationConcluded, CollaborationAbandoned,
)  # fmt: skip


def _apply(state: State, told: Fact) -> None:
    inboxes = state.setdefault("inboxes", {})
    sent = state.setdefault("sent", {})
    topics = state.setdefault("topics", {})
    event = told.event
    match event:
        case MessageSent() | ReplySent() | TopicPublished():
            sent[told.id] = event.text
        case MessageRefused(message=name):
            sent.pop(name, None)
        case MessageDelivered(message=name, sender=sender, to=to, due=due):
            letter = _letter(told, name, "message", sender, sent.pop(name, ""))
            if due is not None:
                letter |= {"due": format_time(due), "status": "waits for a reply"}
            _put(inboxes, to, letter)
        case ReplyDelivered(message=name, reply=reply, sender=sender, to=to):
            letter = _letter(told, reply, "reply", sender, sent.pop(reply, ""))
            _put(inboxes, to, letter | {"answers": name})
            _mark(inboxes, (sender, sender.partition("/")[0]), name, "answered")
        case MessageUnanswered(message=name, sender=sender, to=to):
            letter = _letter(told, told.id, "unanswered", to, "No reply came in time.")
            _put(inboxes, sender, letter | {"answers": name})
            _mark(inboxes, (to,), name, "unanswered")
        case TopicDelivered(message=name, sender=sender, topic=topic, to=members):
            text = sent.pop(name, "")
            for member in members:
                letter = _letter(told, name, "topic", sender, text)
                _put(inboxes, member, letter | {"topic": topic})
        case LearningBroadcast(learning=name, role=role, text=text, recipients=recipients):
            for one in recipients:
                letter = _letter(told, name, "learning", role, text)
                _put(inboxes, one.role, letter | {"relevance": one.score, "because": one.because})
        case Subscribed(member=member, topic=topic):
            topics[member] = [*topics.get(member, ()), topic]
        case Unsubscribed(member=member, topic=topic):
            topics[member] = [one for one in topics.get(member, ()) if one != topic]
        case _:
            _invited(state, told)


def _invited(state: State, told: Fact) -> None:
    """All who take part in a session are told of each round."""
    sessions = state.setdefault("sessions", {})
    match told.event:
        case CollaborationBegun(collaboration=name, task=task, participants=participants):
            sessions[name] = [task, {one.member: one.part for one in participants}]
        case RoundOpened(collaboration=name, round=number, due=due) if name in sessions:
            task, members = sessions[name]
            for member, part in members.items():
                letter = _letter(told, told.id, "round", name, task)
                letter |= {"collaboration": name, "round": number, "part": part}
                _put(state["inboxes"], member, letter | {"due": format_time(due)})
        case (
            CollaborationConcluded(collaboration=name) | CollaborationAbandoned(collaboration=name)
        ):
            sessions.pop(name, None)


def _letter(told: Fact, name: str, kind: str, sender: str, text: str) -> dict[str, Any]:
    return {
        "id": name,
        "kind": kind,
        "from": sender,
        "text": text,
        "at": told.recorded_at,
        "position": told.position,
    }


def _put(inboxes: dict[str, Any], member: str, letter: dict[str, Any]) -> None:
    letters = inboxes.setdefault(member, [])
    letters.append(letter)
    del letters[:-MOST]


def _mark(inboxes: dict[str, Any], members: Sequence[str], message: str, status: str) -> None:
    """In the inbox of whom it was sent to: a model replies for its role, too."""
    for member in members:
        for letter in inboxes.get(member, ()):
            if letter["id"] == message and letter["kind"] == "message":
                letter["status"] = status


INBOXES = Projection("inboxes", "1", frozenset(kind.wire for kind in _KINDS), _apply)
