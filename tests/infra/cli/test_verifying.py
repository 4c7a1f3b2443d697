"""`ratchet models verify`: what is asked, what is refused, and examples of experts by the way."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from tests.infra.cli.saying import document, refused, said
from trainers.model_types import model_type

SUMS = model_type("arithmetic_reasoning")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a role that has no model yet."""
    role = "name: sums\npurpose: Add numbers.\nmodel_type: arithmetic_reasoning\n"
    (tmp_path / "role.yaml").write_text(role)
    document(tmp_path / "home", "roles", "apply", str(tmp_path / "role.yaml"))
    return tmp_path / "home"


def test_a_role_without_a_model_is_refused_with_its_reason(home: Path) -> None:
    ended = said(home, "models", "verify", "--role", "sums", "--wait", "--json")
    assert ended.code == 1
    outcome = json.loads(ended.out)["outcome"]
    assert outcome["type"] == "VerificationRefused"
    assert "no registered candidate" in outcome["data"]["reason"]


def test_a_request_is_published_and_nobody_is_waited_for(home: Path) -> None:
    told = document(home, "models", "verify", "--role", "sums", "--suite", "task.mine")
    assert told["type"] == "VerificationRequested"


def test_nothing_to_verify_and_models_nobody_knows_are_told(home: Path) -> None:
    refused(said(home, "models", "verify"), 2, "nothing is named")
    refused(said(home, "models", "verify", "nobody"), 3, "nobody")
    words = ("models", "verify", "--role", "sums", "--examples", str(home / "none.jsonl"))
    refused(said(home, *words), 3, "no such file")


def test_examples_of_experts_are_checked_before_they_are_trusted(
    home: Path, tmp_path: Path
) -> None:
    rows = [
        {"prompt": one.prompt, "completion": SUMS.completion(SUMS.solve(one))}
        for one in islice(SUMS.problems(3), 20)
    ]
    rows[4]["completion"] = rows[5]["completion"]
    file = tmp_path / "experts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows) + "not json\n")
    words = ("models", "verify", "--role", "sums", "--examples", str(file), "--wait", "60")
    outcome = document(home, *words)["outcome"]
    assert (outcome["type"], outcome["data"]["verdict"]) == ("VerificationJudged", "measured")
    (verified,) = document(home, "events", "list", "--type", "ModelVerified")["events"]
    assert verified["data"]["examples"] == {"valid": 19, "invalid": {"unreadable": 1, "wrong": 1}}
