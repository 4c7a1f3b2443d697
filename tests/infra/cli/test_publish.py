"""`ratchet publish`: what is wrong is answered in one sentence, and nothing of it is written."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.infra.cli.saying import ENVELOPE, Word, all_of, document, kept, refused, said

TRAINING = ("publish", "TrainingRequested")


def test_what_cannot_be_published_is_refused_and_nothing_is_written(
    history: Path, tmp_path: Path
) -> None:
    files = {
        "list.json": b"[1, 2]",
        "broken.json": b'{"role": ',
        "bytes.json": b'{"role": "\xff\xfe"}',
        "nan.json": b'{"role": NaN}',
        "large.json": json.dumps({"agent": "trainer", "reason": "x" * 3_000_000}).encode(),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    whole = ("role=support", "pipeline=dpo", "base=tiny")
    cases: dict[tuple[Word, ...], tuple[int, tuple[str, ...]]] = {
        ("publish", "TrainingRequsted", *whole): (2, ("did you mean 'TrainingRequested'?",)),
        ("publish", "Nothing", *whole): (2, ("no event is named 'Nothing'",)),
        (*TRAINING, "role=support", "pipeline=dpo"): (2, ("'base' is missing", "(base)")),
        (*TRAINING, *whole, "sed=1"): (2, ("has no field 'sed'", "did you mean 'seed'?")),
        (*TRAINING, *whole, "seed=one"): (2, ("'seed' may not be 'one'", "a whole number")),
        (*TRAINING, *whole, "seed=1.5"): (2, ("'seed' may not be 1.5",)),
        (*TRAINING, *whole, "pipeline=a b"): (2, ("'pipeline' may not be 'a b'",)),
        (*TRAINING, "role"): (2, ("'role' is no field", "role=support")),
        (*TRAINING, b"role=\xff\xfe", *whole[1:]): (2, ("not UTF-8", "(role)")),
        ("publish", b"\xff\xfe"): (2, ("no event is named",)),
        ("publish", "RunStarted", "run=a"): (2, ("said by an agent only",)),
        ("publish", "StageCompleted", "run=a"): (2, ("said by a worker",)),
        (*TRAINING, "--data", "list.json"): (2, ("no JSON object", "(list.json)")),
        (*TRAINING, "--data", "broken.json"): (2, ("not JSON",)),
        (*TRAINING, "--data", "bytes.json"): (2, ("not JSON in UTF-8",)),
        (*TRAINING, "--data", "nan.json"): (2, ("not JSON",)),
        ("publish", "AgentPaused", "--data", "large.json"): (2, ("3,000,", "1,048,576 bytes")),
        (*TRAINING, "--data", "absent.json"): (3, ("no such file", "absent.json")),
        (*TRAINING, "--data", "."): (2, ("cannot be read",)),
        (*TRAINING, *whole, "--id", "7"): (2, ("'7' is no event id", "uuid")),
        (*TRAINING, *whole, "--wait", "nan"): (2, ("no time to wait",)),
        (*TRAINING, *whole, "--wait=-1"): (2, ("no time to wait",)),
        ("publish",): (2, ("Missing argument 'TYPE'", "--help")),
        ("publish", "--loud"): (2, ("No such option: --loud", "--help")),
        ("publsh",): (2, ("there is no command 'publsh'", "did you mean 'publish'?")),
        ("events", "lst"): (2, ("Did you mean 'list'?",)),
    }
    before = kept(history)
    for ended, (code, parts) in zip(
        all_of(history, list(cases), cwd=tmp_path), cases.values(), strict=True
    ):
        refused(ended, code, *parts)
    assert kept(history) == before


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
    words = ("publish", "TrainingRequested", "pipeline=dpo", "base=tiny")
    begun = document(copy, *words, "role=sentiment", "--wait")
    assert set(begun["outcome"]) == ENVELOPE
    assert begun["outcome"]["type"] == "RunStarted"
    assert begun["outcome"]["cause_id"] == begun["event_id"]
    ended = said(copy, *words, "role=sentimnt", "--wait", "10")
    assert ended.code == 1
    assert "answered: TrainingRejected: no role is named 'sentimnt'" in ended.out


def test_a_wait_that_nobody_answers_ends_with_4_and_tells_where_the_event_is(copy: Path) -> None:
    document(copy, "agents", "pause", "trainer")
    ended = said(copy, "publish", "TrainingRequested", "role=support", "pipeline=dpo", "base=tiny",
                 "--wait", "0.3", "--json")  # fmt: skip
    assert ended.code == 4
    assert "no agent has answered within 0.3 s" in ended.err
    answer = json.loads(ended.out)
    assert answer["outcome"] is None
    assert answer["position"] > 0


def test_a_fact_is_not_waited_for(tmp_path: Path) -> None:
    answer = document(tmp_path, "publish", "--wait", "AgentPaused", "agent=trainer")
    assert answer["outcome"] is None


def test_a_full_disk_under_the_answer_is_told(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        return
    import subprocess

    from tests.infra.processes import RATCHET, ROOT

    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*RATCHET, "events", "types"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr.decode().startswith("ratchet: this machine refused: No space left")
