"""`ratchet publish`: what is wrong is answered in one sentence, and nothing of it is written."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.infra.cli.saying import (
    ENVELOPE,
    Word,
    document,
    kept,
    really,
    really_all,
    refused,
    said,
)
from tests.infra.processes import RATCHET, ROOT

FULL = Path("/dev/full")
TRAINING = ("publish", "TrainingRequested")


WHOLE = ("role=support", "pipeline=rehearsal", "base=tiny")
LARGE = json.dumps({"agent": "trainer", "reason": "x" * 3_000_000}).encode()
FILES = {
    "list.json": b"[1, 2]",
    "broken.json": b'{"role": ',
    "bytes.json": b'{"role": "\xff\xfe"}',
    "nan.json": b'{"role": NaN}',
    "large.json": LARGE,
}
WRONG: dict[tuple[Word, ...], tuple[str, ...]] = {
    ("publish", "TrainingRequsted", *WHOLE): ("did you mean 'TrainingRequested'?",),
    (*TRAINING, "role=support", "pipeline=rehearsal"): ("'base' is missing", "(base)"),
    (*TRAINING, *WHOLE, "sed=1"): ("has no field 'sed'", "did you mean 'seed'?"),
    (*TRAINING, *WHOLE, "seed=one"): ("'seed' may not be 'one'", "a whole number"),
    (*TRAINING, b"role=\xff\xfe", *WHOLE[1:]): ("not UTF-8", "(role)"),
    (*TRAINING, "--data", "bytes.json"): ("not JSON in UTF-8",),
    (*TRAINING, "--data", "list.json"): ("no JSON object", "(list.json)"),
    ("publish", "AgentPaused", "--data", "large.json"): ("3,000,", "1,048,576 bytes"),
    ("publish", "RunStarted", "run=a"): ("said by an agent only",),
}
"""The usual ways to be wrong, and what is said about each."""
RARER: dict[tuple[Word, ...], tuple[str, ...]] = {
    ("publish", "Nothing", *WHOLE): ("no event is named 'Nothing'",),
    ("publish", b"\xff\xfe"): ("no event is named",),
    ("publish", ""): ("no event is named ''",),
    ("publish", "StageCompleted", "run=a"): ("said by a worker",),
    (*TRAINING, *WHOLE, "seed=1.5"): ("'seed' may not be 1.5",),
    (*TRAINING, *WHOLE, "seed=NaN"): ("the data",),
    (*TRAINING, *WHOLE, "pipeline=a b"): ("'pipeline' may not be 'a b'",),
    (*TRAINING, *WHOLE, "role.x=1"): ("'role.x' lies in",),
    (*TRAINING, *WHOLE, "seed=" + "[" * 50_000): ("'seed' may not be",),
    (*TRAINING, "role"): ("'role' is no field", "role=support"),
    (*TRAINING, "=support"): ("is no field",),
    (*TRAINING, "--data", "broken.json"): ("not JSON",),
    (*TRAINING, "--data", "nan.json"): ("not JSON",),
    (*TRAINING, "--data", "."): ("cannot be read",),
    (*TRAINING, *WHOLE, "--id", "7"): ("'7' is no event id", "uuid"),
    (*TRAINING, *WHOLE, "--wait", "nan"): ("no time to wait",),
    (*TRAINING, *WHOLE, "--wait=-1"): ("no time to wait",),
    ("publish",): ("Missing argument 'TYPE'", "--help"),
    ("publish", "--loud"): ("No such option: --loud", "--help"),
    ("publsh",): ("there is no command 'publsh'", "did you mean 'publish'?"),
    ("events", "lst"): ("Did you mean 'list'?",),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_what_is_wrong_is_refused_in_one_sentence(history: Path, folder: Path) -> None:
    before = kept(history)
    answers = really_all(history, list(WRONG), cwd=folder)
    for ended, parts in zip(answers, WRONG.values(), strict=True):
        refused(ended, 2, *parts)
    refused(really(history, "publish", "AgentPaused", "--data", "-", stdin=LARGE), 2, "3,000,")
    assert kept(history) == before


@pytest.mark.parametrize("line", RARER, ids=lambda line: repr(line)[-40:])
def test_so_is_what_is_wrong_more_rarely(
    history: Path, folder: Path, line: tuple[Word, ...]
) -> None:
    before = kept(history)
    refused(said(history, *line, cwd=folder), 2, *RARER[line])
    assert kept(history) == before


def test_a_file_that_is_not_there_is_not_found(history: Path) -> None:
    refused(said(history, *TRAINING, "--data", "absent.json"), 3, "no such file", "absent.json")


def test_a_refusal_under_json_is_one_document_too(tmp_path: Path) -> None:
    answer = document(tmp_path, "publish", "TrainingRequsted", code=2)
    assert set(answer["error"]) == {"what", "where", "right"}
    assert answer["error"]["right"] == "did you mean 'TrainingRequested'?"
    assert set(document(tmp_path, "publish", code=2)["error"]) == {"what", "where", "right"}


def test_an_event_is_published_from_words_a_file_or_standard_input(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "data.json").write_text('{"agent": "trainer", "reason": "night"}')
    one = document(home, "publish", "AgentPaused", "agent=trainer", "reason=3")
    assert one == {
        "position": 1,
        "event_id": one["event_id"],
        "type": "AgentPaused",
        "stream": "agent/trainer",
        "version": 1,
    }
    document(home, "publish", "AgentPaused", "--data", "data.json", "reason=day", cwd=tmp_path)
    said(home, "publish", "AgentPaused", "--data", "-", stdin=b'{"agent": "scheduler"}')
    events = document(home, "events", "list")["events"]
    assert [event["data"] for event in events] == [
        {"agent": "trainer", "reason": "3"},
        {"agent": "trainer", "reason": "day"},
        {"agent": "scheduler", "reason": ""},
    ]
    assert {event["actor"] for event in events} == {"cli"}


def test_the_same_id_is_published_once_and_never_means_something_else(tmp_path: Path) -> None:
    line = (
        "publish",
        "AgentPaused",
        "agent=trainer",
        "--id",
        "01990000-0000-7000-8000-00000000abcd",
    )
    assert document(tmp_path, *line) == document(tmp_path, *line)
    refused(said(tmp_path, *line, "reason=other"), 1, "already stands in the log", "new id")


def test_a_wait_brings_the_answer_and_its_exit_code(copy: Path) -> None:
    words = ("publish", "TrainingRequested", "pipeline=rehearsal", "base=tiny")
    begun = document(copy, *words, "role=sentiment", "--wait")
    assert set(begun["outcome"]) == ENVELOPE
    assert begun["outcome"]["type"] == "RunStarted"
    assert begun["outcome"]["cause_id"] == begun["event_id"]
    ended = said(copy, *words, "role=sentimnt", "--wait", "10")
    assert ended.code == 1
    assert "answered: TrainingRejected: no role is named 'sentimnt'" in ended.out


def test_a_wait_that_nobody_answers_ends_with_4_and_tells_where_the_event_is(copy: Path) -> None:
    document(copy, "agents", "pause", "trainer")
    ended = said(copy, "publish", "TrainingRequested", "role=support", "pipeline=rehearsal",
                 "base=tiny", "--wait", "0.3", "--json")  # fmt: skip
    assert ended.code == 4
    assert "no agent has answered within 0.3 s" in ended.err
    answer = json.loads(ended.out)
    assert answer["outcome"] is None
    assert answer["position"] > 0


def test_a_fact_is_not_waited_for(tmp_path: Path) -> None:
    answer = document(tmp_path, "publish", "--wait", "AgentPaused", "agent=trainer")
    assert answer["outcome"] is None


@pytest.mark.skipif(not FULL.exists(), reason="this machine has no /dev/full")
def test_a_full_disk_under_the_answer_is_told(tmp_path: Path) -> None:
    line = [*RATCHET, "--home", str(tmp_path), "events", "types"]
    with FULL.open("w") as full:
        done = subprocess.run(line, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 4
    assert done.stderr.decode().startswith("ratchet: this machine refused: No space left")
