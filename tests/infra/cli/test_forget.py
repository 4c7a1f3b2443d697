"""`ratchet forget`, and what `--reveal` shows before and after it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.infra.cli.saying import document, refused, said
from tests.infra.processes import RATCHET, ROOT, environment

SAYS = "Nida, behind the lighthouse"
ANN = ("publish", "FeedbackReceived", "subject=ann", "role=support", "rating=2", f"comment={SAYS}")


def test_what_was_said_is_revealed_until_its_subject_is_forgotten(tmp_path: Path) -> None:
    first = document(tmp_path, *ANN)["position"]
    document(tmp_path, *ANN[:2], "subject=bob", *ANN[3:])
    show, listed = ("events", "show", str(first)), ("events", "list", "--type", ANN[1])
    for line in (show, listed):
        assert SAYS not in said(tmp_path, *line, "--json").out
    assert document(tmp_path, *show, "--reveal")["data"]["comment"] == SAYS
    texts = document(tmp_path, *listed, "--reveal")["events"]
    assert [one["data"]["subject"] for one in texts] == ["ann", "bob"]
    told = document(tmp_path, "forget", "ann")
    assert (told["type"], told["events"], told["position"]) == ("SubjectForgotten", 1, first + 2)
    assert "Nida" not in said(tmp_path, *show, "--reveal", "--json").out
    texts = document(tmp_path, *listed, "--reveal")["events"]
    assert [one["data"]["comment"] == SAYS for one in texts] == [False, True]
    assert document(tmp_path, "audit")["chain"] == "intact"


def test_it_tells_how_much_and_when_nothing_was_known(tmp_path: Path) -> None:
    assert "Nothing personal was known" in said(tmp_path, "forget", "nobody").out
    for _ in range(2):
        document(tmp_path, *ANN)
    assert "in 2 events is unreadable" in said(tmp_path, "forget", "--yes", "ann").out
    assert "Nothing personal was known" in said(tmp_path, "forget", "ann").out
    document(tmp_path, *ANN)
    assert "in 1 event is unreadable" in said(tmp_path, "forget", "-", stdin=b"ann\n").out


@pytest.mark.parametrize("name", ["", "a" * 201, "sealed:1:abc"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    refused(said(tmp_path, "forget", name), 2, "subject")
    refused(said(tmp_path, "forget", "-", stdin=name.encode()), 2, "subject")
    assert not list(tmp_path.iterdir())


def test_who_may_not_read_the_key_reads_no_texts(tmp_path: Path) -> None:
    document(tmp_path, *ANN)
    (tmp_path / "keys" / "subjects.key").rename(tmp_path / "away")
    refused(said(tmp_path, "events", "show", "1", "--reveal"), 4, "keys/subjects.key")
    refused(said(tmp_path, *ANN), 1, "bring back the file")
    (tmp_path / "away").replace(tmp_path / "keys" / "subjects.key")
    assert document(tmp_path, "events", "show", "1", "--reveal")["data"]["comment"] == SAYS


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 2), (b"\n", 2), (b"y\n", 0)])
def test_a_person_is_asked_first(tmp_path: Path, answer: bytes, code: int) -> None:
    document(tmp_path, *ANN)
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer)
        done = subprocess.run(
            [*RATCHET, "forget", "ann", "--home", str(tmp_path), "--json"],
            stdin=theirs, capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=30,
            check=False,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    assert "Forget them? [y/N]" in done.stderr
    assert done.returncode == code, done
    assert ("error" in json.loads(done.stdout)) is (code != 0)
    shown = document(tmp_path, "events", "show", "1", "--reveal")["data"]["comment"]
    assert (shown == SAYS) is (code != 0)
