"""A history that was tampered with, or a file that is none: found, told, never a traceback."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from events.chain import GENESIS, Signer, link
from events.envelope import COLUMNS
from events.merkle import Frontier
from tests.infra.cli.saying import document, kept, refused, said


def altered(home: Path, *statements: str) -> Path:
    """The log, changed behind the back of its triggers."""
    db = sqlite3.connect(home / "log.db")
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f'DROP TRIGGER "{name}"')
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()
    return home


TAMPERED = {
    "a word changed": (
        "UPDATE events SET data = replace(data, 'tiny', 'huge') WHERE position = 3",
        3,
    ),
    "an actor changed": ("UPDATE events SET actor = 'somebody' WHERE position = 5", 5),
    "one removed": ("DELETE FROM events WHERE position = 4", 4),
    "the tables gone": ("DROP TABLE head", None),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_tampered_with_is_broken_at_its_place(copy: Path, what: str) -> None:
    statement, place = TAMPERED[what]
    report = document(altered(copy, statement), "audit", code=1)
    assert report["chain"] == "broken"
    assert report["reason"]
    if place is not None:
        assert report["broken_at"] == place
        assert report["events"] == place - 1


def test_a_missing_tail_is_found(copy: Path) -> None:
    end = document(copy, "audit")["events"]
    report = document(altered(copy, f"DELETE FROM events WHERE position = {end}"), "audit", code=1)
    assert (report["chain"], report["broken_at"]) == ("broken", end)
    text = said(copy, "audit")
    assert text.code == 1
    assert f"The chain is BROKEN at position {end}" in text.out


def test_a_decision_that_comes_out_differently_is_a_difference(copy: Path) -> None:
    """It is chained and signed anew, by somebody who has the keys."""
    rewritten(copy, "RunStarted", '"seed":', '"seed":1')
    report = document(copy, "audit", code=1)
    assert report["chain"] == "intact"
    (difference,) = report["differences"]
    assert difference["agent"] == "trainer"
    assert set(difference) == {"position", "agent", "recorded", "derived"}
    assert "  difference at position " in said(copy, "audit").out


def rewritten(home: Path, kind: str, old: str, new: str) -> None:
    """One event with other words in it, and all behind it linked and signed anew."""
    altered(home)
    db = sqlite3.connect(home / "log.db")
    rows: list[dict[str, Any]] = [
        dict(zip(COLUMNS, row, strict=True))
        for row in db.execute(f"SELECT {', '.join(COLUMNS)} FROM events ORDER BY position")
    ]
    previous, done = GENESIS, False
    for row in rows:
        if row["type"] == kind and not done:
            row["data"], done = row["data"].replace(old, new), True
        row["previous_hash"] = previous
        previous = row["hash"] = link(
            previous, row["position"], row["event_id"], row["type"], row["schema"], row["stream"],
            row["version"], row["recorded_at"], row["actor"], row["correlation_id"],
            row["cause_id"], row["key_id"], row["data"],
        )  # fmt: skip
        db.execute(
            "UPDATE events SET data = ?, previous_hash = ?, hash = ? WHERE position = ?",
            (row["data"], row["previous_hash"], row["hash"], row["position"]),
        )
    root = Frontier().grown(bytes.fromhex(row["hash"]) for row in rows).frontier.root().hex()
    head = Signer.of(home / "keys").sign(len(rows), previous, root)
    db.execute("INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?)", head)
    db.commit()
    db.close()


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(bytes(range(1, 200)) * 50)
    before = kept(tmp_path)["log.db"]
    report = document(tmp_path, "audit", code=1)
    assert report["chain"] == "broken"
    assert report["broken_at"] == 1
    assert report["events"] == 0
    lines = [
        ("events", "list"),
        ("runs", "list"),
        ("replay",),
        ("why", "1"),
        ("publish", "AgentPaused", "agent=trainer"),
        ("events", "tail"),
    ]
    for line in lines:
        refused(said(tmp_path, *line), 1, "the log's database is damaged", "ratchet audit")
    assert document(tmp_path, "doctor", code=1)["ok"] is False
    assert kept(tmp_path)["log.db"] == before


def test_a_log_that_is_only_just_being_made_reads_as_empty(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "log.db")
    db.execute("PRAGMA journal_mode=WAL")
    db.close()
    assert document(tmp_path, "events", "list") == {"events": [], "next": None}


def test_a_log_whose_keys_are_gone_is_read_and_not_continued(copy: Path) -> None:
    shutil.rmtree(copy / "keys")
    words = ("publish", "AgentPaused", "agent=trainer")
    refused(said(copy, *words), 1, "head.key", "bring the folder keys/ back from a backup")
    assert not (copy / "keys" / "head.key").exists()
    assert document(copy, "runs", "list")["total"] == 1
    report = document(copy, "audit")
    assert (report["chain"], report["signer_known"]) == ("intact", False)
    assert "By whom it was signed is not checked" in said(copy, "audit").out


def test_an_audit_says_when_it_knows_the_signer(history: Path) -> None:
    assert document(history, "audit")["signer_known"]
    assert "By whom" not in said(history, "audit").out
