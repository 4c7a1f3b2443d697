"""`why`, `replay`, `audit` and `what-if`: what the history answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.infra.cli.saying import ENVELOPE, document, kept, refused, said


def the(history: Path, kind: str) -> dict[str, Any]:
    """The first event of a type."""
    found = document(history, "events", "list", "--type", kind, "--limit", "1")["events"]
    first: dict[str, Any] = found[0]
    return first


def test_why_tells_the_causes_and_the_effects(history: Path) -> None:
    request, asked = the(history, "TrainingRequested"), the(history, "StageRequested")
    found = document(history, "why", asked["event_id"])
    (begun,) = found.pop("beside")
    assert found == {"event": asked, "causes": [request], "effects": []}
    assert (begun["type"], begun["cause_id"]) == ("RunStarted", request["event_id"])
    effects = document(history, "why", str(request["position"]))["effects"]
    assert {"RunStarted", "StageRequested"} <= {effect["type"] for effect in effects}
    assert all(set(effect) == ENVELOPE for effect in effects)
    lines = said(history, "why", str(asked["position"])).out.splitlines()
    assert [line.partition(" at ")[0] for line in lines] == [
        "TrainingRequested",
        "  + RunStarted",
        "  StageRequested",
    ]
    refused(said(history, "why", "999"), 3, "there is no event '999'", "a position from 1 to")


def test_replay_shows_the_states_as_they_were(history: Path) -> None:
    end = document(history, "replay")
    assert set(end["projections"]) >= {"roles", "runs", "schedules", "policies", "agents"}
    request = the(history, "TrainingRequested")
    then = document(history, "replay", "--to", str(request["position"]), "--projection", "roles",
                    "--projection", "runs")  # fmt: skip
    assert then["position"] == request["position"]
    assert list(then["projections"]["roles"]) == ["sentiment", "support"]
    assert then["projections"]["runs"] == {}
    at = document(history, "replay", "--to", request["recorded_at"])
    naive = document(history, "replay", "--to", request["recorded_at"].rstrip("Z"))
    assert at == naive
    assert at["position"] == request["position"]
    assert document(history, "replay", "--to", "2001-01-01")["position"] == 0
    assert document(history, "replay", "--to", "2999-01-01T00:00:00+02:00") == end


def test_replay_tells_the_difference_between_two_states(history: Path) -> None:
    end = document(history, "replay", "--from", "1")
    run = next(iter(end["projections"]["runs"]))
    assert list(end["diff"]["runs"]["added"]) == [run]
    assert list(end["diff"]["roles"]["added"]) == ["support"]
    back = document(history, "replay", "--from", str(end["position"]), "--to", "1")
    assert list(back["diff"]["runs"]["removed"]) == [run]
    assert "+ support = " in said(history, "replay", "--from", "1").out


def test_replay_refuses_what_is_no_place_in_the_history(history: Path) -> None:
    for place in ("soon", "-3", "1.5", "0001-01-01T00:00+14:00"):
        refused(said(history, "replay", "--to", place), 2, f"{place!r} is neither", "(--to)")
        refused(said(history, "replay", "--from", place), 2, f"{place!r} is neither", "(--from)")
    refused(said(history, "replay", "--to", "99999"), 3, "the log ends at position")
    refused(said(history, "replay", "--from", "9" * 30), 3, "the log ends at position")
    refused(said(history, "replay", "--projection", "run"), 3, "did you mean 'runs'?")


def test_an_intact_history_is_audited_in_three_lines(history: Path) -> None:
    report = document(history, "audit")
    assert report["chain"] == "intact"
    assert report["broken_at"] is None
    assert report["differences"] == report["drift"] == []
    assert report["decisions"] > 0
    assert report["events"] == report["head"]["position"]
    assert set(report["head"]) == {"position", "hash", "signature", "key", "root"}
    lines = said(history, "audit").out.splitlines()
    assert len(lines) == 3
    assert lines[0] == f"The chain is intact over {report['events']} events."


def test_a_head_kept_elsewhere_shows_that_the_folder_is_another(copy: Path, tmp_path: Path) -> None:
    head = str(tmp_path / "head.json")
    document(copy, "audit", "--save-head", head)
    document(copy, "publish", "AgentPaused", "agent=trainer")
    assert document(copy, "audit", "--head", head)["chain"] == "intact"
    other = tmp_path / "other"
    document(other, "publish", "AgentPaused", "agent=trainer")
    assert document(other, "audit")["chain"] == "intact"
    report = document(other, "audit", "--head", head, code=1)
    assert report["chain"] == "broken"
    (tmp_path / "audit.json").write_text(json.dumps(document(other, "audit")))
    document(other, "audit", "--head", str(tmp_path / "audit.json"))


def test_a_head_that_is_none_is_refused(history: Path, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "head.json").write_text('{"position": "1", "hash": 1, "signature": 2, "key": 3}')
    for name in ("list.json", "head.json"):
        refused(said(history, "audit", "--head", str(tmp_path / name)), 2, "holds no head")
    refused(said(history, "audit", "--head", str(tmp_path / "absent.json")), 3, "no such file")
    refused(said(history, "audit", "--save-head", str(tmp_path)), 4, "cannot be written")


def test_another_policy_is_asked_on_the_recorded_history(history: Path, tmp_path: Path) -> None:
    same, other = tmp_path / "same.yaml", tmp_path / "other.json"
    same.write_text("agent: trainer\nmax_attempts: 7\n")
    other.write_text('{"agent": "trainer", "stage_hours": 1}')
    before = kept(history)
    assert document(history, "what-if", "--policy", str(same))["changed"] == []
    answer = document(history, "what-if", "--policy", str(other))
    assert answer["agent"] == "trainer"
    assert answer["decisions"] > 0
    assert set(answer["changed"][0]) == {"position", "agent", "recorded", "derived"}
    told = said(history, "what-if", "--policy", str(other)).out
    assert "others" in told
    assert "    DeadlineSet: due 20" in told
    assert " -> 20" in told
    assert kept(history) == before


def test_a_bound_of_a_figure_that_only_a_role_knows_is_taken(history: Path, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("agent: trainer\nbounds: {f1: 0.3, entropy at_most: 3}\n")
    assert document(history, "what-if", "--policy", str(tmp_path / "own.yaml"))["changed"] == []


def test_a_policy_that_is_none_is_refused_with_its_place(history: Path, tmp_path: Path) -> None:
    files = {
        "agent.yaml": ("agent: trainr\n", "did you mean 'trainer'?"),
        "none.yaml": ("max_attempts: 2\n", "'agent' is missing"),
        "field.yaml": ("agent: trainer\nmax_attempt: 2\n", "did you mean 'max_attempts'?"),
        "value.yaml": ("agent: trainer\nmax_attempts: many\n", "'max_attempts' may not be 'many'"),
        "twice.yaml": ("agent: trainer\nagent: trainer\n", "stands there twice, line 2"),
        "list.yaml": ("- agent\n", "holds no fields"),
        "bound.yaml": ("agent: trainer\nbounds: {kll: 0.1}\n", "did you mean 'kl'?"),
        "side.yaml": ("agent: trainer\nbounds: {kl atmost: 0.1}\n", "kl at_most"),
        "bare.yaml": ("agent: trainer\nkl: 0.1\n", "bounds: {kl: 0.1}"),
    }
    for name, (text, part) in files.items():
        (tmp_path / name).write_text(text)
        refused(said(history, "what-if", "--policy", str(tmp_path / name)), 2, part, name)
