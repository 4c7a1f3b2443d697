"""Every command that reads works in a home without a log, beside an owner, and without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.cli.saying import document, really_all, refused, said
from tests.infra.processes import up

EMPTY: dict[tuple[str, ...], dict[str, Any]] = {
    ("events", "list"): {"events": [], "next": None},
    ("runs", "list"): {"runs": []},
    ("roles", "list"): {"roles": []},
    ("schedules", "list"): {"schedules": []},
    ("replay", "--projection", "runs"): {"position": 0, "projections": {"runs": {}}},
    ("audit",): {"events": 0, "chain": "intact", "broken_at": None, "decisions": 0},
    ("agents", "list"): {},
    ("projections", "list"): {},
    ("policies", "list"): {},
    ("config", "show"): {},
    ("doctor",): {"ok": True},
}


@pytest.mark.parametrize("line", EMPTY, ids=" ".join)
def test_a_home_without_a_log_reads_as_empty_and_stays_so(
    tmp_path: Path, line: tuple[str, ...]
) -> None:
    home = tmp_path / "none yet"
    assert document(home, *line).items() >= EMPTY[line].items()
    assert not home.exists()
    assert said(home, *line).out


def test_a_head_of_an_empty_home_can_be_kept(tmp_path: Path) -> None:
    home, head = tmp_path / "home", str(tmp_path / "head.json")
    document(home, "audit", "--save-head", head)
    document(home, "publish", "AgentPaused", "agent=trainer")
    assert document(home, "audit", "--head", head)["chain"] == "intact"


def test_what_is_asked_by_name_is_not_found_in_an_empty_home(tmp_path: Path) -> None:
    for line in (
        ("events", "show", "1"), ("why", "1"), ("runs", "show", "a"), ("runs", "pause", "a"),
        ("roles", "show", "a"), ("schedules", "remove", "a"), ("agents", "pause", "a"),
        ("replay", "--to", "1"),
    ):  # fmt: skip
        refused(said(tmp_path / "none yet", *line), 3)
    assert not (tmp_path / "none yet").exists()


def test_a_home_that_cannot_be_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "home"
    refused(said(place, "publish", "AgentPaused", "agent=trainer"), 4, "cannot be written")
    refused(said(tmp_path, "events", "list", "--home"), 2, "--home names no folder")


def test_the_commands_work_beside_an_owner(tmp_path: Path) -> None:
    folder, home = tmp_path / "work", tmp_path / "home"
    folder.mkdir()
    (folder / "support.yaml").write_text("name: support\npurpose: Answer.\nmodel_type: chat\n")
    with up(home) as owner:
        document(home, "roles", "apply", "support.yaml", cwd=folder)
        words = ("publish", "TrainingRequested", "role=support", "pipeline=rehearsal", "base=tiny")
        begun = document(home, *words, "--wait")
        run = begun["outcome"]["data"]["run"]
        assert document(home, "runs", "hold", run, "--wait")["outcome"]["type"] == "RunHeld"
        assert document(home, "schedules", "add", "often", "--every", "1h")["changed"] is True
        assert document(home, "agents", "pause", "scheduler")["changed"] is True
        refused(said(home, "projections", "drop", "runs"), 4, str(owner.process.pid), "stop")
        (check,) = [one for one in document(home, "doctor")["checks"] if one["name"] == "owner"]
        assert "answers at http://127.0.0.1:" in check["detail"]
        lines = [(*line, "--json") for line in EMPTY] + [("runs", "show", run, "--json")]
        for ended in really_all(home, lines):
            assert ended.code == 0, ended
            assert isinstance(json.loads(ended.out), dict)
        assert document(home, "audit")["differences"] == []
    assert document(home, "audit")["chain"] == "intact"
    assert document(home, "projections", "drop", "runs")["dropped"] is True
    assert document(home, "runs", "show", run)["held"] is True
