"""Refused messages are kept within bounds, never at the price of an answer, and without persons."""

import json
from pathlib import Path
from typing import Any

import pytest

from events.errors import RatchetError
from events.ingress import admitted_body
from infra.rejected import BODY, FULL, Rejected

REASON = {"what": "no", "where": "there", "right": "yes"}
PLAIN = "Ann of Nida"


def kept(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "rejected.jsonl").read_text().splitlines()]


def test_what_is_kept_is_bounded_and_stays_readable(tmp_path: Path) -> None:
    rejected = Rejected(tmp_path)
    data = {"role": "é\\" * 100_000}
    body = json.dumps({"type": "TrainingRequested", "data": data}, ensure_ascii=False).encode()
    for number in range(1000):
        rejected.keep(f"token:{number}", REASON, body)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["rejected.jsonl", "rejected.jsonl.1"]
    for file in files:
        assert file.stat().st_size <= FULL
        assert file.stat().st_mode & 0o777 == 0o600
        for line in file.read_text().splitlines():
            entry = json.loads(line)
            assert entry["reason"] == REASON
            assert entry["bytes"] == len(body)
            assert len(entry["body"]) <= 4 * BODY
    assert rejected.count == 1000


def test_where_it_cannot_be_kept_nothing_happens(tmp_path: Path) -> None:
    rejected = Rejected(tmp_path / "gone")
    rejected.keep("http", REASON, b"x")
    (tmp_path / "rejected.jsonl").mkdir()
    Rejected(tmp_path).keep("http", REASON, b"x")
    assert rejected.count == 1


def test_an_open_type_is_kept_whole_however_its_name_came(tmp_path: Path) -> None:
    rejected = Rejected(tmp_path)
    rejected.keep("http", REASON, b'{"type": "TrainingRequested", "data": {"role": 7}}')
    rejected.keep("nats", REASON, b'{"role": 7}', "TrainingRequested")
    assert [one["reason"] for one in kept(tmp_path)] == [REASON, REASON]
    assert all('"role": 7' in one["body"] for one in kept(tmp_path))


@pytest.mark.parametrize(
    ("body", "kind", "where"),
    [
        ({"type": "FeedbackReceived", "data": {"subject": PLAIN, "role": "a"}}, "", "rating"),
        ({"type": "FeedbackReceived", "data": {"subject": [PLAIN]}}, "", "subject"),
        ({"type": "FeedbackReceived", "data": {PLAIN: 1, "subject": "a"}}, "", "role"),
        ({"type": "FeedbackReceived", "data": PLAIN}, "", "data"),
        ({"type": "FeedbackReceived", "data": {}, PLAIN: 1}, "", ""),
        ({"type": "FeedbackReceived", "data": {"subject": "sealed:1:x", "comment": PLAIN,
          "role": "a", "rating": 1}}, "", "subject"),
        ({"type": "SubjectForgotten", "data": {"subject": PLAIN}}, "", "type"),
        ({"type": "FeedbackRecieved", "data": {"subject": PLAIN}}, "", "type"),
        ({"type": PLAIN, "data": {}}, "", "type"),
        ({"subject": PLAIN}, "", ""),
        ({"subject": PLAIN}, "FeedbackReceived", "subject"),
        ([PLAIN], "", "body"),
        (PLAIN.encode() + b'{"type": "TrainingRequested"}', "", "body"),
        (b'{"type": "FeedbackReceived", "data": {"subject": "' + PLAIN.encode(), "", "body"),
        (b"\xff" + PLAIN.encode(), "", "body"),
    ],
)  # fmt: skip
def test_nothing_of_a_person_is_kept(tmp_path: Path, body: Any, kind: str, where: str) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(RatchetError) as caught:
        admitted_body(sent)
    rejected = Rejected(tmp_path)
    rejected.keep("http", caught.value.body(), sent, kind)
    text = (tmp_path / "rejected.jsonl").read_text()
    assert "Nida" not in text
    (entry,) = kept(tmp_path)
    assert (entry["body"], entry["bytes"], entry["actor"]) == ("", len(sent), "http")
    assert entry["reason"]["where"] == where
    assert entry["reason"]["what"]
