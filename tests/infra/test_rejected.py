"""Refused and given-up messages are kept within bounds, never at the price of an answer, and
without persons; of what was kept whole a draft can be made again.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from events.catalog.people import FeedbackReceived
from events.envelope import Envelope
from events.errors import NotFound, NotYours, RatchetError, UnknownType
from events.ingress import admitted_body
from events.memory import MemoryStore
from events.store import append
from infra import rejected as module
from infra.rejected import BODY, FULL, Rejected, said_again
from tests.events.messages import Noted

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


TRAINING = {"role": "support", "pipeline": "dpo", "base": "tiny"}
DENIED = {"what": "this takes a token", "where": "token", "right": "one"}


def sent(data: Any = TRAINING, **more: Any) -> bytes:
    return json.dumps({"type": "TrainingRequested", "data": data, **more}).encode()


async def told(event: Noted | FeedbackReceived) -> Envelope:
    store = MemoryStore()
    (one,) = await append(store, event)
    await store.close()
    return one


def test_each_has_an_id_of_its_own_by_which_it_is_found(tmp_path: Path) -> None:
    rejected = Rejected(tmp_path)
    for number in range(20):
        rejected.keep(f"token:{number}", REASON, sent())
    found = rejected.all()
    assert [one["actor"] for one in found] == [f"token:{number}" for number in range(20)]
    assert len({one["id"] for one in found}) == 20
    assert rejected.one(found[3]["id"]) == found[3]
    with pytest.raises(NotFound, match=found[3]["id"]):
        rejected.one(found[3]["id"][:-1] + "_")


def test_what_an_older_version_kept_has_an_id_and_is_told_to_be_too_little(tmp_path: Path) -> None:
    old = {"time": "2026", "actor": "http", "reason": REASON, "body": "{}", "bytes": 2}
    torn = b'{"time": "2026", "actor'
    (tmp_path / "rejected.jsonl").write_bytes(json.dumps(old).encode() + b"\n" + torn)
    (one,) = Rejected(tmp_path).all()
    assert one["id"] == Rejected(tmp_path).all()[0]["id"]
    assert one["reason"] == REASON
    with pytest.raises(NotFound, match="too little"):
        said_again(one)


@pytest.mark.parametrize("event_id", [None, "01a1fd4d-a5a8-7acb-87b3-db439c6b2612"])
def test_what_was_kept_whole_is_said_again_once_under_its_own_id(
    tmp_path: Path, event_id: str | None
) -> None:
    rejected = Rejected(tmp_path)
    rejected.keep("http", DENIED, sent(**({"id": event_id} if event_id else {})))
    bare = json.dumps(TRAINING).encode()
    rejected.keep("nats", DENIED, bare, "TrainingRequested", event_id)
    for one in rejected.all():
        first, second = said_again(one), said_again(one)
        assert first == second
        assert first.type == "TrainingRequested"
        assert json.loads(first.data).items() >= {**TRAINING, "seed": None}.items()
        assert first.known_id
        assert event_id is None or first.event_id == event_id


def test_the_same_validation_stands_before_it_again(tmp_path: Path) -> None:
    rejected = Rejected(tmp_path)
    rejected.keep("http", REASON, sent({"role": 7}))
    rejected.keep("nats", REASON, b"{}", "RunStarted")
    rejected.keep("nats", REASON, json.dumps(TRAINING).encode(), "TrainingRequested", "x" * 200)
    parts = []
    for one in rejected.all():
        with pytest.raises(RatchetError) as caught:
            said_again(one)
        parts.append((type(caught.value).__name__, caught.value.where))
    assert parts == [("Malformed", "role"), ("NotYours", "type"), ("Malformed", "id")]
    gone = {**rejected.all()[1], "type": "Gone"}
    with pytest.raises(UnknownType):
        said_again(gone)


def test_what_was_cut_or_not_kept_is_not_said_again(tmp_path: Path) -> None:
    rejected = Rejected(tmp_path)
    rejected.keep("http", REASON, sent({"role": "a" * BODY}))
    rejected.keep("http", REASON, b"\xff", "TrainingRequested")
    rejected.keep("token:a", REASON, json.dumps({"subject": PLAIN}).encode(), "FeedbackReceived")
    rejected.keep("worker:a", REASON, b"{}", "StageCompleted")
    cut, wrong, person, worker = rejected.all()
    for one, words in ((cut, "first 4,096"), (wrong, "first"), (person, "nothing")):
        with pytest.raises(NotFound, match=words) as caught:
            said_again(one)
        assert one["actor"] in caught.value.right
    with pytest.raises(NotYours, match="under the lease"):
        said_again(worker)


async def test_what_was_given_up_is_one_however_often_it_is_told(tmp_path: Path) -> None:
    rejected, event = Rejected(tmp_path), await told(Noted(about="a"))
    for _ in range(2):
        entry = rejected.give_up("RATCHET", "mail", 1, 5, "ValueError: no", event)
    rejected.give_up("RATCHET", "other", 1, 5, "ValueError: no", event)
    mail, other = rejected.all()
    assert {name: mail[name] for name in entry if name != "time"} == {
        name: entry[name] for name in entry if name != "time"
    }
    assert (mail["consumer"], other["consumer"]) == ("mail", "other")
    assert (mail["position"], mail["type"], mail["event_id"]) == (1, "Test.Noted", event.event_id)
    assert mail["reason"]["what"] == "ValueError: no"
    assert "data" not in mail
    assert (tmp_path / "given_up.jsonl").stat().st_mode & 0o777 == 0o600


async def test_no_word_of_a_person_comes_with_the_reason(tmp_path: Path) -> None:
    event = await told(FeedbackReceived(subject=PLAIN, role="a", rating=1))
    Rejected(tmp_path).give_up("RATCHET", "mail", 1, 5, f"ValueError: {PLAIN} is late", event)
    assert "Nida" not in (tmp_path / "given_up.jsonl").read_text()
    assert Rejected(tmp_path).all()[0]["reason"]["what"].startswith("ValueError; ")


async def test_a_flood_of_refusals_takes_nothing_away_that_was_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FULL", 2000)
    rejected, event = Rejected(tmp_path), await told(Noted(about="a"))
    rejected.give_up("RATCHET", "mail", 1, 5, "ValueError: no", event)
    for _ in range(100):
        rejected.keep("http", REASON, sent())
    assert [one["kind"] for one in rejected.all()].count("given up") == 1
    assert len(rejected.all()) < 20


async def test_what_cannot_be_recorded_is_said_to_whoever_gave_it_here(tmp_path: Path) -> None:
    (tmp_path / "given_up.jsonl").mkdir()
    with pytest.raises(OSError, match="directory"):
        Rejected(tmp_path).give_up("RATCHET", "mail", 1, 5, "no", await told(Noted(about="a")))


async def test_what_was_tried_again_is_marked_until_it_is_given_up_anew(tmp_path: Path) -> None:
    rejected, event = Rejected(tmp_path), await told(Noted(about="a"))
    entry = rejected.give_up("RATCHET", "mail", 1, 5, "ValueError: no", event)
    rejected.keep("http", REASON, sent())
    for one in rejected.all():
        rejected.retried(one, {"position": 7})
    marks = [one["retried"] for one in Rejected(tmp_path).all()]
    assert [mark["position"] for mark in marks] == [7, 7]
    assert all(mark["time"] > entry["time"] for mark in marks)
    rejected.give_up("RATCHET", "mail", 1, 5, "ValueError: no", event)
    assert "retried" not in rejected.one(entry["id"])
