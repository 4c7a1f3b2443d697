"""`ratchet schedules`: checked before anything is written, written only when it has changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from events.memory import utc_now
from tests.infra.cli.saying import document, kept, refused, said

TRAINING = ("--publish", "TrainingRequested", "role=support", "pipeline=rehearsal", "base=tiny")


def test_a_schedule_is_added_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    line = (
        "schedules",
        "add",
        "nightly",
        "--cron",
        "0 3 * * *",
        "--tz",
        "Europe/Berlin",
        *TRAINING,
    )
    first = document(tmp_path, *line)
    assert (first["schedule"], first["changed"], first["position"]) == ("nightly", True, 1)
    again = document(tmp_path, *line)
    assert (again["changed"], again["position"]) == (False, None)
    assert again["next"] == first["next"]
    assert document(tmp_path, *line, "--misfire", "all")["position"] == 2
    (row,) = document(tmp_path, "schedules", "list")["schedules"]
    assert row["publish"]["type"] == "TrainingRequested"
    assert row["publish"]["data"]["role"] == "support"
    assert row == document(tmp_path, "schedules", "show", "nightly")


def test_the_next_slot_is_told_while_it_is_active(tmp_path: Path) -> None:
    added = document(tmp_path, "schedules", "add", "often", "--every", "90s")
    ahead = datetime.fromisoformat(added["next"]) - utc_now()
    assert timedelta() < ahead <= timedelta(seconds=90)
    assert document(tmp_path, "schedules", "pause", "often")["changed"] is True
    assert document(tmp_path, "schedules", "pause", "often")["changed"] is False
    assert document(tmp_path, "schedules", "show", "often")["next"] is None
    assert document(tmp_path, "schedules", "resume", "often")["position"] == 3
    assert document(tmp_path, "schedules", "remove", "often")["status"] == "removed"
    assert document(tmp_path, "schedules", "list") == {"schedules": []}


WRONG = {
    ("--cron", "0 3 * *"): "has 4 fields",
    ("--cron", "0 3 * * 9"): "9",
    ("--every", "often"): "'often' is no period",
    ("--every", "0s"): "1s",
    ("--every", "5m", "--cron", "0 3 * * *"): "either `every` or `cron`",
    (): "either `every` or `cron`",
    ("--cron", "0 3 * * *", "--tz", "Europe/Berln"): "did you mean Europe/Berlin?",
    ("--every", "5m", "--misfire", "some"): "'misfire' may not be 'some'",
    ("--every", "5m", "role=support"): "--publish TYPE",
    ("--every", "5m", "--publish", "TrainingRequsted"): "'TrainingRequested'",
    ("--every", "5m", "--publish", "RunStarted", "run=a"): "said by an agent only",
    ("--every", "5m", "--publish", "TrainingRequested", "role=a"): "'pipeline' is missing",
    ("--every", "5m", "--publish", "AgentPaused", "agnt=a"): "did you mean 'agent'?",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_what_cannot_be_kept_is_refused_and_not_written(
    history: Path, words: tuple[str, ...]
) -> None:
    before = kept(history)
    refused(said(history, "schedules", "add", "new", *words), 2, WRONG[words])
    assert kept(history) == before


def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    refused(said(tmp_path, "schedules", "add", "a b", "--every", "5m"), 2, "'schedule' may not be")
    refused(said(tmp_path, "schedules", "add"), 2, "Missing argument 'NAME'")


@pytest.mark.parametrize("command", ["show", "pause", "resume", "remove"])
def test_a_schedule_that_is_not_there_is_not_found(history: Path, command: str) -> None:
    refused(said(history, "schedules", command, "nightl"), 3, "did you mean 'nightly'?")
