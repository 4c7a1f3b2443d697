"""`agents` and `projections`: how far each has come, and a hand on them."""

from __future__ import annotations

from pathlib import Path

from infra.home import Home, Lock
from tests.infra.cli.saying import document, refused, said


def test_agents_are_listed_with_their_checkpoint_and_lag(copy: Path) -> None:
    rows = {row["agent"]: row for row in document(copy, "agents", "list")["agents"]}
    assert {"scheduler", "trainer"} <= set(rows)
    end = document(copy, "audit")["events"]
    for row in rows.values():
        assert row["status"] == "active"
        assert row["checkpoint"] + row["lag"] == end
    document(copy, "publish", "AgentResumed", "agent=trainer")
    assert document(copy, "agents", "show", "trainer")["lag"] == rows["trainer"]["lag"] + 1


def test_an_agent_is_paused_and_resumed(copy: Path) -> None:
    assert document(copy, "agents", "pause", "trainer", "--reason", "night")["changed"] is True
    assert document(copy, "agents", "pause", "trainer")["changed"] is False
    assert document(copy, "agents", "show", "trainer")["status"] == "paused"
    assert document(copy, "agents", "resume", "trainer")["status"] == "active"
    for command in ("show", "pause", "resume"):
        refused(said(copy, "agents", command, "trainr"), 3, "did you mean 'trainer'?")


def test_an_agent_can_be_paused_before_anything_has_happened(tmp_path: Path) -> None:
    listed = document(tmp_path, "agents", "list")["agents"]
    assert all(row["checkpoint"] == row["lag"] == 0 for row in listed)
    assert document(tmp_path, "agents", "pause", "trainer")["position"] == 1


def test_a_projection_is_dropped_and_comes_back(copy: Path) -> None:
    before = document(copy, "runs", "list")
    rows = {row["projection"]: row for row in document(copy, "projections", "list")["projections"]}
    assert {"roles", "runs", "schedules"} <= set(rows)
    assert document(copy, "projections", "drop", "runs")["dropped"] is False
    assert document(copy, "runs", "list") == before
    refused(said(copy, "projections", "drop", "run"), 3, "did you mean 'runs'?")
    assert document(copy / "nothing", "projections", "drop", "runs")["dropped"] is False
    assert not (copy / "nothing").exists()


def test_an_owner_without_an_answer_is_waited_for_and_then_named(copy: Path) -> None:
    home = Home(copy)
    with Lock(home) as lock:
        assert lock.take()
        home.announce({"pid": 1, "http": "http://127.0.0.1:9", "token": ""})
        refused(said(copy, "projections", "drop", "runs"), 4, "process 1 owns this home")
