"""`ratchet memories`: told, recalled, put out, and accounted for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.infra.cli.saying import document, kept, refused, said

ROLE = (
    "name: support\npurpose: Answers on orders.\nmodel_type: chat\n"
    "memory: {retention_items: 3, context_window: 2000}\n"
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "support.yaml").write_text(ROLE)
    document(tmp_path / "home", "roles", "apply", "support.yaml", cwd=tmp_path)
    return tmp_path / "home"


def told(home: Path, text: str, *options: str, role: str = "support") -> dict[str, Any]:
    answer: dict[str, Any] = document(home, "memories", "tell", role, text, *options, "--wait")
    return answer


def texts(home: Path, question: str, *options: str) -> list[str]:
    found = document(home, "memories", "recall", "support", question, *options)
    assert found["abstained"] is not bool(found["items"])
    return [one["text"] for one in found["items"]]


def test_what_is_told_is_recalled_with_its_source(home: Path) -> None:
    one = told(home, "Refunds take 30 days.", "--about", "refunds")
    assert one["outcome"]["type"] == "MemoryKept"
    found = document(home, "memories", "recall", "support", "How long do refunds take?")
    assert [item["sources"] for item in found["items"]] == [[one["event_id"]]]
    assert (found["budget"], found["by"]) == (500, "bm25")
    assert texts(home, "Which colour has the sky?") == []
    assert "Nothing is remembered" in said(home, "memories", "recall", "support", "Sky?").out


def test_a_later_fact_takes_the_place_of_the_earlier_one_and_the_past_stays(home: Path) -> None:
    told(home, "Refunds take 30 days.", "--about", "refunds", "--from", "2026-01-01T00:00:00Z")
    told(home, "Refunds take 14 days.", "--about", "refunds", "--from", "2026-02-01T00:00:00Z")
    assert texts(home, "How long do refunds take?") == ["Refunds take 14 days."]
    then = ("--at", "2026-01-31T23:59:59Z")
    assert texts(home, "How long do refunds take?", *then) == ["Refunds take 30 days."]


def test_memories_of_a_model_and_of_a_session_are_theirs(home: Path) -> None:
    told(home, "Kettles whistle.", "--model", "small")
    told(home, "Kettles are red.", "--session", "s1")
    assert texts(home, "kettles?") == []
    assert texts(home, "kettles?", "--model", "small") == ["Kettles whistle."]
    assert texts(home, "kettles?", "--session", "s1") == ["Kettles are red."]


def test_what_is_personal_is_sealed_and_goes_with_its_person(home: Path) -> None:
    one = told(home, "Lives in Oslo.", "--subject", "customer-4711")
    (row,) = document(home, "memories", "list")["memories"]
    assert row["text"].startswith("sealed:")
    assert "(sealed)" in said(home, "memories", "list").out
    assert texts(home, "Who lives in Oslo?") == []
    assert texts(home, "Who lives in Oslo?", "--reveal") == ["Lives in Oslo."]
    document(home, "forget", "customer-4711", "--yes")
    assert texts(home, "Who lives in Oslo?", "--reveal") == []
    told(home, "Kettles are red.")
    found = document(home, "memories", "account", "support")
    assert found["counts"] == {"erased": 1, "kept": 1}
    gone = found["memories"][0]
    assert (gone["id"], gone["because"]) == (one["event_id"], "the person was forgotten")
    (ended,) = document(home, "events", "list", "--type", "MemoryErased")["events"]
    assert gone["ended_by"] == ended["event_id"]


def test_the_policy_of_the_role_is_carried_out_and_accounted_for(home: Path) -> None:
    for number in ("One", "Two", "Three", "Four"):
        told(home, f"{number} kettle.")
    found = document(home, "memories", "account", "support")
    assert found["counts"] == {"expired": 1, "kept": 3}
    assert found["overdue"] == []
    assert found["policy"] == {"retention_days": None, "retention_items": 3}
    assert "the role keeps 3 items" in said(home, "memories", "account", "support").out
    assert len(document(home, "memories", "list", "--status", "expired")["memories"]) == 1
    assert document(home, "audit")["differences"] == []


def test_memories_are_erased_merged_and_shown(home: Path) -> None:
    one, two = (told(home, text)["event_id"] for text in ("A kettle.", "A kettle, red."))
    merged = document(home, "memories", "merge", "support", two, one, "--wait")
    assert merged["outcome"]["type"] == "MemoryMerged"
    assert document(home, "memories", "show", one)["sources"] == [one, two]
    gone = document(home, "memories", "erase", "support", "wrong", "--source", two, "--wait")
    assert gone["outcome"]["data"]["items"] == [one]
    row = document(home, "memories", "show", one)
    assert (row["status"], row["text"], row["because"]) == ("erased", None, "wrong")


def test_a_refusal_ends_with_1_and_says_why(home: Path) -> None:
    line = ("memories", "tell", "suport", "A kettle.", "--wait")
    outcome = document(home, *line, code=1)["outcome"]
    assert outcome["data"]["reason"] == "no role is named 'suport', did you mean 'support'?"


WRONG = {
    ("tell", "support", "x", "--kind", "rumour"): "'kind' may not be 'rumour'",
    ("tell", "support", "x", "--scope", "model"): "names none",
    ("tell", "support", "x", "--confidence", "2"): "confidence",
    ("tell", "support", "x", "--from", "yesterday"): "valid_from",
    ("tell", "support", "x", "--from", "0001-01-01T00:00:00+14:00"): "outside of the years",
    ("recall", "support", "x", "--at", "9999-12-31T23:59:59-14:00"): "outside of the years",
    ("erase", "support", "why"): "it says not what is to be erased",
    ("recall", "support", "x", "--at", "soon"): "is no time",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_what_cannot_be_read_is_refused_and_not_written(home: Path, words: tuple[str, ...]) -> None:
    before = kept(home)
    refused(said(home, "memories", *words), 2, WRONG[words])
    assert kept(home) == before


def test_what_is_not_there_is_not_found_and_an_empty_home_stays_empty(tmp_path: Path) -> None:
    home = tmp_path / "none yet"
    assert document(home, "memories", "list") == {"memories": []}
    for words in (("show", "a"), ("account", "a"), ("recall", "a", "b")):
        refused(said(home, "memories", *words), 3)
    assert not home.exists()
