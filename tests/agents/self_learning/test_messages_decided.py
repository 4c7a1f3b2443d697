"""Who gets what, who waits for a reply, who listens to what."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.self_learning import SELF_LEARNING
from agents.self_learning.relevance import listens
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed, DeadlineSet
from events.catalog.messages import (
    MessageDelivered,
    MessageRefused,
    MessageSent,
    MessageUnanswered,
    ReplyDelivered,
    ReplySent,
    Subscribed,
    SubscribeRequested,
    SubscriptionRefused,
    TopicDelivered,
    TopicPublished,
    Unsubscribed,
    UnsubscribeRequested,
)
from events.catalog.policies import PolicyAdopted, SelfLearningPolicy
from events.catalog.roles import RoleRetired
from events.message import Event
from tests.agents.self_learning.roles import BILLING, PARCELS, SUPPORT
from tests.agents.spec import History, given, kinds

ASKED = MessageSent(sender="support", to="billing", text="Which currencies?", reply_within_s=60)


def fleet(*more: Event) -> History:
    return given(SELF_LEARNING, SUPPORT, BILLING, PARCELS, *more)


def reason(history: History, event: Event) -> str:
    (refused,) = history.tell(event)
    assert isinstance(refused, MessageRefused | SubscriptionRefused)
    return refused.reason


def reply(sender: str = "billing", message: str = "q") -> ReplySent:
    return ReplySent(message=message, sender=sender, text="Euros.")


def test_a_message_is_delivered_and_no_reply_is_waited_for() -> None:
    history = fleet()
    told = MessageSent(sender="support", to="billing/small", text="Good morning.")
    assert history.tell(told, "m") == (
        MessageDelivered(message="m", sender="support", to="billing/small"),
    )
    assert history.state.waiting == {}


def test_a_reply_is_waited_for_until_its_deadline() -> None:
    history = fleet()
    delivered, deadline = history.tell(ASKED, "q")
    due = history.now() + timedelta(seconds=60)
    assert deadline == DeadlineSet(key="message/q", due=due)
    assert isinstance(delivered, MessageDelivered)
    assert delivered.due == due
    assert history.tell(reply(), "r") == (
        ReplyDelivered(message="q", reply="r", sender="billing", to="support"),
        DeadlineLifted(key="message/q"),
    )
    assert not history.tell(DeadlinePassed(key="message/q", due=due))


def test_a_model_of_the_role_that_was_asked_may_reply_and_nobody_else() -> None:
    history = fleet()
    history.tell(ASKED, "q")
    assert reason(history, reply("parcels")) == (
        "the message was sent to 'billing', not to 'parcels'"
    )
    assert kinds(history.tell(reply("billing/small"))) == ["ReplyDelivered", "DeadlineLifted"]
    assert "no message of this id waits" in reason(history, reply())


def test_a_reply_that_comes_too_late_is_refused() -> None:
    history = fleet()
    history.tell(ASKED, "q")
    passed = DeadlinePassed(key="message/q", due=history.now() + timedelta(seconds=60))
    assert history.tell(passed) == (MessageUnanswered(message="q", sender="support", to="billing"),)
    assert "its time may have passed" in reason(history, reply())


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"to": "biling"}, "no role is named 'biling', did you mean 'billing'?"),
        ({"sender": "suport/small"}, "no role is named 'suport', did you mean 'support'?"),
        ({"to": "support"}, "nobody writes to itself"),
    ],
)
def test_what_cannot_be_delivered_is_refused(changed: dict[str, str], why: str) -> None:
    assert reason(fleet(), ASKED.model_copy(update=changed)) == why


def test_only_so_many_messages_wait_for_one_member() -> None:
    history = fleet(PolicyAdopted(policy=SelfLearningPolicy(open_messages=1)))
    history.tell(ASKED, "q")
    assert "1 messages wait for a reply of 'billing'" in reason(history, ASKED)
    history.tell(reply())
    assert kinds(history.tell(ASKED)) == ["MessageDelivered", "DeadlineSet"]


@pytest.mark.parametrize(
    ("pattern", "heard", "not_heard"),
    [
        ("products.kettle", ["products.kettle"], ["products", "products.kettle.lid"]),
        ("products.*", ["products.kettle"], ["products", "products.kettle.lid", "parts.kettle"]),
        ("products.>", ["products.kettle", "products.kettle.lid"], ["products", "parts.lid"]),
        (">", ["products", "products.kettle"], []),
        ("*.lid", ["kettle.lid"], ["lid", "kettle.lid.red"]),
    ],
)
def test_a_pattern_hears_its_topics(pattern: str, heard: list[str], not_heard: list[str]) -> None:
    assert all(listens(pattern, topic) for topic in heard)
    assert not any(listens(pattern, topic) for topic in not_heard)


def test_what_is_published_reaches_those_who_listen_but_not_its_sender() -> None:
    history = fleet()
    for member, topic in (("billing", "shop.*"), ("parcels/a", "shop.>"), ("support", ">")):
        asked = SubscribeRequested(member=member, topic=topic)
        assert history.tell(asked) == (Subscribed(member=member, topic=topic),)
    told = TopicPublished(sender="support", topic="shop.kettle", text="The lid breaks.")
    assert history.tell(told, "t") == (
        TopicDelivered(
            message="t", sender="support", topic="shop.kettle", to=("billing", "parcels/a")
        ),
    )


def test_whoever_stops_listening_or_was_retired_hears_nothing() -> None:
    history = fleet()
    history.tell(SubscribeRequested(member="billing", topic=">"))
    history.tell(SubscribeRequested(member="parcels", topic=">"))
    assert history.tell(UnsubscribeRequested(member="billing", topic=">")) == (
        Unsubscribed(member="billing", topic=">"),
    )
    history.tell(RoleRetired(role="parcels", reason="replaced"))
    (told,) = history.tell(TopicPublished(sender="support", topic="shop", text="Open."))
    assert isinstance(told, TopicDelivered)
    assert told.to == ()


def test_listeners_beyond_the_most_are_counted() -> None:
    history = fleet(PolicyAdopted(policy=SelfLearningPolicy(recipients=1)))
    for member in ("billing", "parcels"):
        history.tell(SubscribeRequested(member=member, topic=">"))
    (told,) = history.tell(TopicPublished(sender="support", topic="shop", text="Open."))
    assert isinstance(told, TopicDelivered)
    assert (told.to, told.left_out) == (("billing",), 1)


def test_a_subscription_that_changes_nothing_is_refused() -> None:
    history = fleet(PolicyAdopted(policy=SelfLearningPolicy(subscriptions=1)))
    ask = SubscribeRequested(member="billing", topic="shop")
    history.tell(ask)
    assert reason(history, ask) == "it listens to this already"
    assert "may to no more" in reason(history, ask.model_copy(update={"topic": "other"}))
    assert "no role is named" in reason(history, ask.model_copy(update={"member": "x"}))
    stop = UnsubscribeRequested(member="parcels", topic="shop")
    assert reason(history, stop) == "it does not listen to this"
