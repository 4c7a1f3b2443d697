"""Recall: who may see what, of which time, in which order, and within which room."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.catalog.role_needs import Memory
from events.envelope import format_time
from events.personal import PREFIX
from memory.remembering.account import account
from memory.remembering.lexical import ByWords
from memory.remembering.recall import (
    Reader,
    Recalled,
    budget_of,
    estimated_tokens,
    holds_at,
    known_to,
    recall,
)
from memory.remembering.searching import ByMeaning, Match, Passage

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
DAY = timedelta(days=1)


def row(name: str, text: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": name, "text": text, "role": "support", "scope": "role", "model": None,
        "session": None, "kind": "fact", "status": "kept", "confidence": 1.0, "reach": {},
        "sources": [name], "valid_from": format_time(NOW - DAY), "valid_to": None,
        "told_at": format_time(NOW - DAY), "superseded_by": None, "sealed": False,
        "kept_by": f"kept {name}", "ended_by": None, "ended_at": None, "because": None, **changes,
    }  # fmt: skip


class InOrder:
    """Finds everything, the first the best: what is left is the order of recall itself."""

    name, bar = "in order", 0.5

    async def find(self, question: str, among: Sequence[Passage], limit: int) -> Sequence[Match]:  # noqa: ARG002
        return [Match(one.id, 1.0 - 0.01 * place) for place, one in enumerate(among)][:limit]


def asked(rows: Sequence[dict[str, Any]], **options: Any) -> Recalled:
    how: dict[str, Any] = {"reader": Reader("support"), "search": InOrder(), "moment": NOW}
    return asyncio.run(recall("anything", rows, **(how | options)))


def names(found: Recalled) -> list[str]:
    return [one.id for one in found.items]


SCOPES = (
    row("role", "a"),
    row("model", "b", scope="model", model="small"),
    row("session", "c", scope="session", session="s1"),
    row("shared", "d", scope="shared", role="billing", reach={"support": 0.6}),
    row("theirs", "e", role="billing"),
    row("unheard", "f", scope="shared", role="billing", reach={"parcels": 0.9}),
)


@pytest.mark.parametrize(
    ("reader", "seen"),
    [
        (Reader("support"), {"role", "shared"}),
        (Reader("support", "small"), {"role", "shared", "model"}),
        (Reader("support", "large", "s1"), {"role", "shared", "session"}),
        (Reader("billing"), {"theirs", "shared", "unheard"}),
        (Reader("parcels"), {"unheard"}),
    ],
)
def test_a_reader_sees_what_is_its_own_and_what_was_passed_on_to_it(
    reader: Reader, seen: set[str]
) -> None:
    assert {one["id"] for one in known_to(SCOPES, reader, NOW)} == seen


def test_a_fact_holds_from_its_beginning_on_and_at_its_end_no_more() -> None:
    begin, end = NOW, NOW + DAY
    one = row("x", "y", valid_from=format_time(begin), valid_to=format_time(end))
    tick = timedelta(microseconds=1)
    held = [holds_at(one, format_time(at)) for at in (begin - tick, begin, end - tick, end)]
    assert held == [False, True, True, False]


def test_of_two_that_follow_each_other_exactly_one_holds_at_the_border() -> None:
    old = row("old", "y", valid_to=format_time(NOW))
    new = row("new", "y", valid_from=format_time(NOW))
    assert names(asked([old, new])) == ["new"]
    assert names(asked([old, new], moment=NOW - timedelta(microseconds=1))) == ["old"]


def test_what_has_ended_or_is_sealed_is_not_recalled() -> None:
    rows = [
        row("expired", "a", status="expired"),
        row("told", "b", status="told", valid_from=None),
        row("sealed", f"{PREFIX}abc"),
    ]
    found = asked(rows)
    assert found.items == ()
    assert found.abstained


def test_age_lowers_a_place_and_hides_nothing() -> None:
    old = format_time(NOW - 3000 * DAY)
    rows = [row("old", "a", valid_from=old, told_at=old), row("new", "b")]
    found = asked(rows)
    assert names(found) == ["new", "old"]
    assert found.items[1].match == 1.0


def test_an_old_memory_that_answers_clearly_better_stays_first() -> None:
    old = format_time(NOW - 3000 * DAY)
    rows = [row("old", "The refund takes 30 days.", valid_from=old, told_at=old),
            row("new", "The refund desk moved.")]  # fmt: skip
    found = asyncio.run(
        recall("How many days does the refund take?", rows, Reader("support"), ByWords(), NOW)
    )
    assert names(found)[0] == "old"


def test_an_episode_fades_sooner_than_a_fact_and_doubt_counts() -> None:
    told = format_time(NOW - 60 * DAY)
    old = {"valid_from": told, "told_at": told}
    rows = [row("episode", "a", kind="episode", **old), row("fact", "b", **old),
            row("doubt", "c", confidence=0.5)]  # fmt: skip
    assert names(asked(rows)) == ["fact", "doubt", "episode"]


def test_recall_keeps_to_its_room_and_says_what_had_none() -> None:
    rows = [row("a", "word " * 30), row("large", "word " * 500), row("c", "word " * 30)]
    found = asked(rows, budget=130)
    assert names(found) == ["a", "c"]
    assert found.left_out == ("large",)
    assert found.tokens == sum(one.tokens for one in found.items) <= 130


def test_the_room_is_a_quarter_of_the_window() -> None:
    assert budget_of(4000) == 1000
    assert budget_of(None) == 2048


@pytest.mark.parametrize("text", ["", "word", "a b c " * 100, "Donaudampfschifffahrt " * 20])
def test_tokens_are_estimated_from_words_and_from_bytes(text: str) -> None:
    assert estimated_tokens(text) >= max(len(text.split()), len(text.encode()) / 3.6)


def test_words_find_nothing_where_most_of_the_question_is_unknown() -> None:
    rows = [row(str(n), f"Ann likes tea number {n}.") for n in range(5)]
    found = asyncio.run(recall("Which blood type has Ann?", rows, Reader("support"), ByWords(),
                               NOW))  # fmt: skip
    assert found.abstained
    assert 0 < found.best < ByWords().bar


def test_an_empty_question_or_memory_finds_nothing() -> None:
    for question, rows in (("the of", [row("a", "b")]), ("tea", [])):
        found = asyncio.run(recall(question, rows, Reader("support"), ByWords(), NOW))
        assert found.abstained


class Counting:
    """An embedder that counts what it is asked; a vector of three letters."""

    id, dim, degraded = "counting", 3, ""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str], kind: str) -> list[Sequence[float]]:  # noqa: ARG002
        self.asked += texts
        made = [[float(text.count(letter)) for letter in "abc"] for text in texts]
        return [[x / (sum(y * y for y in one) ** 0.5 or 1) for x in one] for one in made]


def test_each_text_is_embedded_once_and_scored_by_its_vector() -> None:
    embedder = Counting()
    search = ByMeaning(embedder, 0.5)
    rows = [row("one", "aa"), row("two", "bb"), row("three", "aa")]
    for _ in range(2):
        found = asked(rows, search=search)
        assert names(found) == ["one", "three"]
    assert sorted(embedder.asked) == ["aa", "anything", "anything", "bb"]
    again = asyncio.run(search.find("a", [Passage("one", "aa"), Passage("two", "bb")], 1))
    assert again == [Match("one", 1.0)]


def test_the_account_says_what_ended_by_which_event_and_what_is_overdue() -> None:
    rows = [
        row("gone", "", status="expired", ended_by="e1", because="the role keeps 2 items"),
        row("late", "a", told_at=format_time(NOW - 40 * DAY)),
        row("fresh", "b"),
        row("theirs", "c", role="billing"),
    ]
    found = account(rows, "support", Memory(retention_days=30.0), NOW)
    assert found["counts"] == {"expired": 1, "kept": 2}
    assert found["overdue"] == ["late"]
    assert found["memories"][0]["ended_by"] == "e1"
    assert account(rows, "support", Memory(retention_items=1), NOW)["overdue"] == ["late"]
