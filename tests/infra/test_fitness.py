"""No secret and nobody's data gets into what models tell each other, by whichever door it comes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from events.bus import LogTailBus
from events.errors import Refused
from events.ingress import admitted, open_types
from events.memory import MemoryStore
from events.message import event_class
from events.nats.door import Said
from infra.callers import Callers
from infra.desk import WorkDesk
from infra.fitness import LOOKED_THROUGH, PASSING, SEALED, Unfit, fit
from infra.messages import Messages
from infra.rejected import Rejected
from infra.tokens import Tokens
from tests.infra.api.doors import front
from tests.infra.cli.saying import refused, said
from tests.lying import contents

KEY = "ghp_" + 3 * "a1B2c3D4e5F6"
SAYS = {
    "MessageSent": {"sender": "support", "to": "billing", "text": "{}"},
    "ReplySent": {"message": "0199", "sender": "billing", "text": "{}"},
    "TopicPublished": {"sender": "support", "topic": "shop", "text": "{}"},
    "LearningOffered": {"role": "support", "text": "{}", "confidence": 0.9},
    "MemoryProposed": {"role": "support", "kind": "fact", "text": "{}"},
    "CollaborationRequested": {"task": "{}"},
    "ContributionMade": {
        "collaboration": "5d1c", "round": 1, "member": "support", "text": "So it is.",
        "confidence": 0.9, "learnings": [{"text": "{}"}],
    },
    "KnowledgeAdded": {"text": "{}", "role": "support"},
    "KnowledgeWithdrawn": {"item": 36 * "0", "reason": "{}"},
    "EraseRequested": {"role": "support", "item": "0199", "reason": "{}"},
    "PersonalMemoryProposed": {"role": "support", "subject": "c-4711", "text": "Likes tea.",
                               "about": "{}"},
    "PersonalKnowledgeAdded": {"subject": "c-4711", "text": "Likes tea.", "tags": ["{}"]},
    "ScheduleDefined": {
        "schedule": "daily", "every": "1h",
        "publish": {"type": "TopicPublished",
                    "data": {"sender": "support", "topic": "shop", "text": "{}"}},
    },
}  # fmt: skip


def saying(wire: str, text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(SAYS[wire]).replace("{}", text))
    return found


UNFIT = (
    ("write to ann@firm.example", "EMAIL"),
    ("as Dr. Maria Keller says", "NAME"),
    (f"the key is {KEY}", "GITHUB_TOKEN"),
    ("<|im_start|>system", "chat template"),
)
IN_WORDS = [wire for wire in SAYS if wire != "PersonalMemoryProposed"]
"""`about` takes no sentence, and is a name among names."""


@pytest.mark.parametrize("wire", IN_WORDS)
def test_what_one_is_told_is_looked_through(wire: str) -> None:
    for text, kind in UNFIT:
        if kind == "chat template" and wire in PASSING:
            fit(admitted(wire, saying(wire, text)))  # quoted wherever a model reads it
            continue
        with pytest.raises(Unfit) as unfit:
            fit(admitted(wire, saying(wire, text)))
        assert kind in unfit.value.what
        field = unfit.value.where.rpartition(".")[2]
        assert field in ("text", "task", "learnings", "reason", "tags")
        assert text not in str(unfit.value)
    fine = admitted(wire, saying(wire, "Refunds take 14 days; version 2.0.1 is mended."))
    assert fit(fine) == fine


@pytest.mark.parametrize("field", ["text", "source", "tags"])
def test_no_field_of_what_all_may_know_holds_a_secret(field: str) -> None:
    data: dict[str, Any] = {"text": "Refunds take 14 days.", field: f"say {KEY}"}
    data |= {"tags": [f"say {KEY}"]} if field == "tags" else {}
    with pytest.raises(Unfit, match="GITHUB_TOKEN"):
        fit(admitted("KnowledgeAdded", data))


def test_knowledge_may_name_machines_and_lines_may_end_as_on_windows() -> None:
    for wire, text in (
        ("KnowledgeAdded", "The backups lie on 10.20.30.40.\r\nAsk the help desk."),
        ("MessageSent", "One line,\r\nand another."),
    ):
        assert fit(admitted(wire, saying(wire, "") | {"text": text})).data


@pytest.mark.parametrize("wire", SEALED)
def test_a_sealed_text_speaks_of_its_person_and_holds_no_secret(wire: str) -> None:
    data: dict[str, Any] = {"subject": "c-4711", "role": "support"}
    fit(admitted(wire, {**data, "text": "Dr. Maria Keller wants mail to ann@firm.example."}))
    with pytest.raises(Unfit, match="GITHUB_TOKEN"):
        fit(admitted(wire, {**data, "text": f"Her key is {KEY}, her mail ann@firm.example."}))
    card = "4111-1111-1111-1111"
    beside = {"about": card} if wire == "PersonalMemoryProposed" else {"tags": [card]}
    with pytest.raises(Unfit, match="CARD"):
        fit(admitted(wire, {**data, "text": "Pays by card.", **beside}))


def test_every_text_that_is_looked_through_is_a_field_of_what_anyone_may_say() -> None:
    for wire, fields in (*LOOKED_THROUGH.items(), *SEALED.items()):
        kind = event_class(wire)
        assert kind is not None
        assert wire in open_types()
        assert set(fields) <= set(kind.model_fields)
    assert {*LOOKED_THROUGH, "ScheduleDefined"} == set(SAYS)
    assert set(SEALED) <= set(LOOKED_THROUGH)


async def test_over_http_it_is_refused_and_not_kept(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        head = await door.head()
        answer = await door.publish("MessageSent", saying("MessageSent", "ask ann@firm.example"))
        assert answer.status_code == 400
        wrong = answer.json()["error"]
        assert (wrong["what"], wrong["where"]) == ("it holds personal data (EMAIL)", "text")
        assert "PersonalMemoryProposed" in wrong["right"]
        assert await door.head() == head
        mistaken = {**saying("MessageSent", "ask ann@firm.example"), "colour": "red"}
        assert (await door.publish("MessageSent", mistaken)).status_code == 400
        assert (await door.publish("MessageSent", saying("MessageSent", "Hi."))).status_code == 201
    held = dict(contents(tmp_path))
    assert any(one.name == "rejected.jsonl" for one in held)
    assert not [one for one, content in held.items() if b"ann@firm" in content]


async def test_over_nats_it_is_refused_and_not_kept(tmp_path: Path) -> None:
    store, rejected = MemoryStore(), Rejected(tmp_path)
    desk = WorkDesk(store, LogTailBus(store), rejected)
    messages = Messages(store, desk, Callers(Tokens(tmp_path / "tokens.json"), "owner"), rejected)
    for text in (f"the key is {KEY}", f"the key is {KEY}\ud800"):
        body = json.dumps(saying("LearningOffered", "{}")).replace("{}", json.dumps(text)[1:-1])
        with pytest.raises(Refused):
            await messages.publish(Said("LearningOffered", body.encode(), {}, ""))
    assert (await store.head()).position == 0
    kept = (tmp_path / "rejected.jsonl").read_text()
    assert kept.count('"LearningOffered"') == 2
    assert KEY not in kept


def test_of_a_file_no_item_is_added_where_one_holds_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "facts.jsonl"
    file.write_text('{"text": "Refunds take 14 days."}\n' + json.dumps({"text": f"Use {KEY}."}))
    told = said(tmp_path / "home", "knowledge", "add", "--file", str(file))
    refused(told, 2, "facts.jsonl, line 2: text", "it holds a secret (GITHUB_TOKEN)")
    assert not [one for one, held in contents(tmp_path / "home") if KEY.encode() in held]


def test_on_the_line_it_is_told_what_would_be_right(tmp_path: Path) -> None:
    words = ("messages", "learn", "support", f"Use {KEY}.", "--confidence", "0.9")
    told = said(tmp_path, *words)
    refused(told, 2, "it holds a secret (GITHUB_TOKEN)", "a new secret, if it was a real one")
    assert KEY not in told.err
