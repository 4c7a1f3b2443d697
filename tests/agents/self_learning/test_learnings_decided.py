"""To whom a learning is passed on: by the decision, and as measured on a labelled set."""

from __future__ import annotations

from agents.self_learning import SELF_LEARNING
from agents.self_learning.relevance import relevances
from agents.self_learning.state import INITIAL
from events.catalog.learnings import (
    LearningBroadcast,
    LearningOffered,
    LearningRefused,
    Relevance,
)
from events.catalog.memories import MemoryKept, MemoryMerged
from events.catalog.messages import SubscribeRequested
from events.catalog.policies import PolicyAdopted, SelfLearningPolicy
from events.message import Event
from tests.agents.self_learning.labelled import interests, learnings
from tests.agents.self_learning.roles import BILLING, PARCELS, SUPPORT, role
from tests.agents.spec import History, given, kinds

OFFERED = LearningOffered(
    role="support", text="Name refund, invoice and payment before a delivery.", confidence=0.9
)


def broadcast(history: History, event: Event = OFFERED, name: str = "") -> LearningBroadcast:
    told = history.tell(event, name)[0]
    assert isinstance(told, LearningBroadcast)
    return told


def test_a_learning_goes_to_those_it_matters_to_with_its_score() -> None:
    told = broadcast(given(SELF_LEARNING, SUPPORT, BILLING, PARCELS))
    assert told.recipients == (Relevance(role="billing", score=0.667, because="words"),)
    assert told.missed == (Relevance(role="parcels", score=0.222, because="words"),)
    assert (told.considered, told.threshold, told.left_out) == (2, 0.25, 0)


def test_it_is_kept_once_in_the_shared_memory() -> None:
    history = given(SELF_LEARNING, SUPPORT, BILLING)
    _, kept = history.tell(OFFERED, "learned")
    assert isinstance(kept, MemoryKept)
    assert (kept.item, kept.scope, kept.kind) == ("learned", "shared", "lesson")


def test_a_learning_that_comes_round_again_is_not_passed_on_twice() -> None:
    history = given(SELF_LEARNING, SUPPORT, BILLING)
    history.tell(OFFERED, "first")
    echo = OFFERED.model_copy(update={"role": "billing", "text": OFFERED.text.lower()})
    assert history.tell(echo, "echo") == (
        MemoryMerged(role="billing", item="echo", into="first", of="support"),
    )
    assert "echo" in history.state.items["support"]["first"].sources


def test_a_role_learns_from_its_parent_and_from_topics_it_listens_to() -> None:
    history = given(SELF_LEARNING, SUPPORT, role("child", "Sings.", parent="support"), BILLING)
    history.tell(SubscribeRequested(member="billing/small", topic="songs"))
    told = broadcast(history, OFFERED.model_copy(update={"text": "La.", "tags": ("Songs",)}))
    assert told.recipients == (
        Relevance(role="billing", score=1.0, because="subscription"),
        Relevance(role="child", score=1.0, because="parent"),
    )


def test_only_so_many_are_told_and_the_rest_is_counted() -> None:
    bound = PolicyAdopted(policy=SelfLearningPolicy(recipients=1, relevance=0.2))
    told = broadcast(given(SELF_LEARNING, SUPPORT, BILLING, PARCELS, bound))
    assert ([one.role for one in told.recipients], told.left_out) == (["billing"], 1)


def test_what_is_doubtful_or_nobodys_is_refused() -> None:
    history = given(SELF_LEARNING, SUPPORT)
    doubt = OFFERED.model_copy(update={"confidence": 0.4})
    assert history.tell(doubt) == (
        LearningRefused(role="support", reason="a confidence of 0.4 is below 0.5"),
    )
    assert kinds(history.tell(OFFERED.model_copy(update={"role": "x"}))) == ["LearningRefused"]


def test_a_role_that_keeps_no_memories_passes_its_learnings_on_all_the_same() -> None:
    history = given(SELF_LEARNING, role("support", memory={"retention_items": 0}), BILLING)
    assert kinds(history.tell(OFFERED)) == ["LearningBroadcast", "MemoryRefused"]
    assert history.state.items["support"] == {}


def test_on_generated_learnings_precision_and_recall_are_as_stated() -> None:
    """At the default threshold; seeds 100 to 104 were not looked at when it was chosen.

    Precision 0.97, recall 0.77. A fifth of what matters shares no word with the learning, and words
    go no further; of what does share one, 0.93 is found.
    """
    threshold = INITIAL.policy.relevance
    right = wrong = missed = unreachable = 0
    for seed in range(100, 105):
        roles = interests(seed)
        for one in learnings(seed, 200):
            scored = relevances(one.text, (), one.author, roles)
            found = {role.role for role in scored if role.score >= threshold}
            silent = {role.role for role in scored if role.score == 0}
            right += len(found & one.relevant)
            wrong += len(found - one.relevant)
            missed += len(one.relevant - found)
            unreachable += len(one.relevant & silent)
    assert right / (right + wrong) >= 0.96
    assert right / (right + missed) >= 0.75
    assert right / (right + missed - unreachable) >= 0.92
