"""`ratchet review`: a queue of pairs is opened, answered here or elsewhere, and learned from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.infra.cli.saying import document, refused, said

PAIRS = [{"prompt": f"question {n}", "a": f"yes {n}", "b": f"no {n}"} for n in range(1, 5)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a queue of four pairs."""
    made = tmp_path / "home"
    (tmp_path / "role.yaml").write_text("name: support\npurpose: Answer.\nmodel_type: x\n")
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(one) + "\n" for one in PAIRS))
    document(made, "roles", "apply", "role.yaml", cwd=tmp_path)
    words = ("review", "open", "first", "pairs.jsonl", "--role", "support")
    assert document(made, *words, cwd=tmp_path)["count"] == 4
    refused(said(made, *words, cwd=tmp_path), 2, "there is a queue 'first' already")
    return made


def test_a_pair_is_answered_and_waits_no_longer(home: Path) -> None:
    (row,) = document(home, "review", "list")["reviews"]
    assert (row["review"], row["count"], row["answered"]) == ("first", 4, 0)
    assert "1: question 1\n  a: yes 1\n  b: no 1" in said(home, "review", "list", "first").out
    assert document(home, "review", "answer", "first", "2", "b")["waiting"] == 3
    waits = document(home, "review", "list", "first")["waiting"]
    assert [one["item"] for one in waits] == [1, 3, 4]
    assert document(home, "review", "answer", "first", "2", "a")["waiting"] == 3


def test_a_queue_is_answered_elsewhere_and_comes_back_as_pairs(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "queue.jsonl"
    document(home, "review", "export", "first", "--to", str(file))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [{key: row[key] for key in ("prompt", "a", "b")} for row in rows] == PAIRS
    choices = ["a", "b", "same", "unfit"]
    labelled = [row | {"choice": one} for row, one in zip(rows, choices, strict=True)]
    back = tmp_path / "back.jsonl"
    back.write_text("".join(json.dumps(one) + "\n" for one in labelled))
    assert document(home, "review", "import", "first", str(back))["waiting"] == 0
    assert document(home, "review", "export", "first", "--labelled")["rows"] == [
        {"prompt": "question 1", "chosen": "yes 1", "rejected": "no 1"},
        {"prompt": "question 2", "chosen": "no 2", "rejected": "yes 2"},
    ]
    refused(said(home, "review", "export", "first"), 3, "nothing waits there")
    assert said(home, "review", "list", "first").out.strip() == "Nothing waits there."


def test_what_makes_no_sense_is_refused_and_nothing_is_said(home: Path, tmp_path: Path) -> None:
    before = document(home, "audit")["events"]
    refused(said(home, "review", "answer", "first", "9", "a"), 2, "there is no item 9", "1 to 4")
    refused(said(home, "review", "answer", "first", "1", "c"), 2, "choice")
    refused(said(home, "review", "answer", "none", "1", "a"), 3, "there is no review 'none'")
    refused(said(home, "review", "export", "first", "--labelled"), 3, "nothing was answered yet")
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"item": 1, "choice": "a"}\n{"item": 2}\n{"item": "x", "choice": "b"}\n')
    refused(said(home, "review", "import", "first", str(bad)), 2, "line 2", "line 3")
    bad.write_text('{"item": 1, "choice": "a"}\n{"item": 7, "choice": "a"}\n')
    refused(said(home, "review", "import", "first", str(bad)), 2, "there is no item 7")
    assert document(home, "audit")["events"] == before
