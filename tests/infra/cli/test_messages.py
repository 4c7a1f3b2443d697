"""`ratchet messages`: letters, topics, learnings and sessions, from the line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.infra.cli.saying import document, refused, said

PURPOSES = {
    "support": "Answers on orders.",
    "billing": "Explains invoices, refunds and payments.",
    "parcels": "Finds lost parcels.",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name, purpose in PURPOSES.items():
        text = f"name: {name}\npurpose: {purpose}\nmodel_type: chat\n"
        (tmp_path / f"{name}.yaml").write_text(text)
        document(tmp_path / "home", "roles", "apply", f"{name}.yaml", cwd=tmp_path)
    return tmp_path / "home"


def outcome(home: Path, *words: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = document(home, "messages", *words, "--wait", code=code)["outcome"]
    return found


def letters(home: Path, member: str, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(home, "messages", "inbox", member, *options)["letters"]
    return found


def test_a_message_is_answered_and_both_find_it(home: Path) -> None:
    asked = outcome(home, "send", "support", "billing", "Which cards?", "--reply-within", "60")
    name = asked["data"]["message"]
    assert letters(home, "billing")[0]["status"] == "waits for a reply"
    refusal = outcome(home, "reply", name, "parcels", "None.", code=1)
    assert refusal["data"]["reason"] == "the message was sent to 'billing', not to 'parcels'"
    assert outcome(home, "reply", name, "billing/small", "All.")["type"] == "ReplyDelivered"
    (answer,) = letters(home, "support")
    assert (answer["text"], answer["answers"]) == ("All.", name)
    assert letters(home, "billing")[0]["status"] == "answered"
    assert letters(home, "billing", "--after", "1000") == []
    assert "Which cards?" in said(home, "messages", "inbox", "billing").out


def test_whoever_listens_hears(home: Path) -> None:
    outcome(home, "subscribe", "billing", "shop.>")
    told = outcome(home, "publish", "support", "shop.kettle", "The lid breaks.")
    assert told["data"]["to"] == ["billing"]
    assert document(home, "messages", "inbox", "billing")["topics"] == ["shop.>"]
    outcome(home, "unsubscribe", "billing", "shop.>")
    told = outcome(home, "publish", "support", "shop.kettle", "It is mended.")
    assert told["data"]["to"] == []


def test_a_learning_reaches_whom_it_matters_to_and_is_recalled_there(home: Path) -> None:
    text = "A refund names its invoice."
    told = outcome(home, "learn", "support", text, "--confidence", "0.9")
    assert [one["role"] for one in told["data"]["recipients"]] == ["billing"]
    (letter,) = letters(home, "billing")
    assert (letter["kind"], letter["because"]) == ("learning", "words")
    for role, many in (("billing", 1), ("support", 1), ("parcels", 0)):
        found = document(home, "memories", "recall", role, "Which invoice has a refund?")
        assert len(found["items"]) == many


def test_a_session_is_held_and_its_result_shown(home: Path) -> None:
    parts = ("--with", "support:lead", "--with", "billing", "--rounds", "1")
    name = outcome(home, "collaborate", "Which draft?", *parts)["data"]["collaboration"]
    assert [one["kind"] for one in letters(home, "billing")] == ["round"]
    outcome(home, "contribute", name, "support", "The first.", "--choice", "A")
    learned = ("--confidence", "0.9", "--learned", "Refunds want an invoice.")
    outcome(home, "contribute", name, "billing", "The second.", "--choice", "B", *learned)
    row = document(home, "messages", "session", name)
    assert (row["status"], row["result"]["choice"], row["result"]["by"]) == (
        "concluded",
        "B",
        "billing",
    )
    assert row["result"]["learnings"][0]["broadcast"] is False
    assert "concluded" in said(home, "messages", "sessions").out
    late = outcome(home, "contribute", name, "billing", "Wait.", code=1)
    assert "is under way" in late["data"]["reason"]
    assert document(home, "audit")["differences"] == []


WRONG = {
    ("send", "support", "b c", "x"): "'to' may not be",
    ("subscribe", "support", "Shop"): "topic",
    ("publish", "support", "shop.>", "x"): "topic",
    ("collaborate", "x", "--with", "a:boss"): "'boss' is no part",
    ("collaborate", "x", "--rounds", "11"): "rounds",
    ("learn", "support", ""): "text",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_what_cannot_be_read_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused(said(tmp_path, "messages", *words), 2, WRONG[words])


def test_an_empty_home_has_empty_inboxes_and_no_sessions(tmp_path: Path) -> None:
    home = tmp_path / "none yet"
    assert letters(home, "support") == []
    assert document(home, "messages", "sessions") == {"sessions": []}
    for words in (("session", "a"), ("contribute", "a", "support", "x")):
        refused(said(home, "messages", *words), 3)
    assert not home.exists()
