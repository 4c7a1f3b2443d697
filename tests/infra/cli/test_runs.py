"""`ratchet runs`: how far each has come, and a hand on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.cli.saying import document, refused, said

STAGE = {"name", "status", "attempts", "seconds", "metrics", "gate"}


def the_run(home: Path) -> str:
    runs = document(home, "runs", "list")["runs"]
    return str(runs[0]["run"])


def test_runs_are_listed_and_shown(history: Path) -> None:
    (row,) = document(history, "runs", "list")["runs"]
    assert (row["role"], row["pipeline"], row["status"]) == ("support", "rehearsal", "running")
    shown = document(history, "runs", "show", row["run"])
    assert {"run", "pipeline", "role", "status", "stages"} <= set(shown)
    assert shown["stages"][0]["name"] == row["stage"]
    assert all(set(stage) >= STAGE for stage in shown["stages"])
    assert shown["forecast"] is None  # it is the first of its kind
    assert shown["spent"] == {"usd": 0.0, "tokens": 0}
    text = said(history, "runs", "show", row["run"]).out
    assert text.startswith(f"Run {row['run']} of role support, pipeline rehearsal")
    assert "not known yet, for fewer than 3 runs like it have come through here" in text


def test_a_report_is_written_when_asked_for(copy: Path) -> None:
    run = the_run(copy)
    told = document(copy, "runs", "report", run)
    assert Path(told["report"]).read_text().startswith("<!doctype html>")
    text = (Path(told["folder"]) / "report.md").read_text()
    assert text.startswith(f"# Run {run}: rehearsal")
    assert "Not decided: the run has not ended." in text


def test_a_run_that_is_not_there_is_not_found(history: Path) -> None:
    run = the_run(history)
    before = document(history, "audit")["events"]
    for command in ("show", "report", "pause", "resume", "hold", "approve", "cancel"):
        refused(said(history, "runs", command, run[:4]), 3, f"did you mean {run!r}?")
        refused(said(history, "runs", command, "nothing"), 3, "there is no run 'nothing'")
    assert document(history, "audit")["events"] == before


def test_a_hand_is_laid_on_a_run_and_answered(copy: Path) -> None:
    run = the_run(copy)

    def asked(command: str, *words: str, code: int = 0) -> tuple[str, str]:
        answer = document(copy, "runs", command, run, "--wait", *words, code=code)
        return answer["type"], answer["outcome"]["type"]

    assert asked("hold", "--reason", "to look at it") == ("HoldRequested", "RunHeld")
    assert document(copy, "runs", "show", run)["held"] is True
    assert asked("approve", "--note", "fine") == ("ApprovalGiven", "RunApproved")
    assert asked("pause", "--reason", "lunch") == ("PauseRequested", "RunPaused")
    assert asked("pause", code=1) == ("PauseRequested", "HandRefused")
    assert asked("resume") == ("ResumeRequested", "RunResumed")
    assert asked("cancel", "--reason", "enough") == ("CancelRequested", "RunCancelled")
    shown = document(copy, "runs", "show", run)
    assert (shown["status"], shown["reason"]) == ("cancelled", "enough")
    assert asked("cancel", code=1) == ("CancelRequested", "HandRefused")


@pytest.mark.parametrize("wait", [("--wait",), ("--wait", "5"), ("--wait=5",)])
def test_a_wait_may_have_a_number_and_may_stand_anywhere(copy: Path, wait: tuple[str, ...]) -> None:
    answer = document(copy, "runs", "hold", *wait, the_run(copy))
    assert answer["outcome"]["type"] == "RunHeld"


def test_without_a_wait_the_request_stands_there_for_the_agents(copy: Path) -> None:
    run = the_run(copy)
    answer = document(copy, "runs", "pause", run)
    assert set(answer) == {"position", "event_id", "type", "stream", "version"}
    assert document(copy, "runs", "show", run)["status"] == "running"
    assert document(copy, "audit")["chain"] == "intact"


def test_a_list_can_be_narrowed_and_the_newest_run_needs_no_name(history: Path) -> None:
    run = the_run(history)
    for words in (("--role", "support"), ("--status", "running"), ("--limit", "1")):
        found = document(history, "runs", "list", *words)
        assert ([row["run"] for row in found["runs"]], found["total"]) == ([run], 1)
    none = document(history, "runs", "list", "--role", "support", "--status", "completed")
    assert none == {"runs": [], "total": 0}
    refused(said(history, "runs", "list", "--status", "runing"), 2, "did you mean 'running'?")
    refused(said(history, "runs", "list", "--role", "suport"), 3, "did you mean 'support'?")
    assert document(history, "runs", "show")["run"] == run


def test_where_there_is_no_run_yet_nothing_is_the_newest(tmp_path: Path) -> None:
    for command in ("show", "report"):
        refused(said(tmp_path, "runs", command), 3, "there is no run yet")


def test_a_run_goes_back_behind_a_stage_of_its_own_only(copy: Path) -> None:
    run, before = the_run(copy), document(copy, "audit")["events"]
    refused(said(copy, "runs", "rollback", run, "rlrv"), 3, "did you mean 'rlvr'?")
    assert document(copy, "audit")["events"] == before
