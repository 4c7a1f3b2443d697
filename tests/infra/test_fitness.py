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
from infra.fitness import LOOKED_THROUGH, Unfit, fit
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
    "ScheduleDefined": {
        "schedule": "daily", "every": "1h",
        "publish": {"type": "TopicPublished",
                    "data": {"sender": "support", "topic": "shop", "text": "{}"}},
    },
}  # fmt: skip


def saying(wire: str, text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(SAYS[wire]).replace("{}", text))
    return found


@pytest.mark.parametrize("wire", SAYS)
def test_what_one_is_told_is_looked_through(wire: str) -> None:
    for text, kind in (
        ("write to ann@firm.example", "EMAIL"),
        ("as Dr. Maria Keller says", "NAME"),
        (f"the key is {KEY}", "GITHUB_TOKEN"),
        ("<|im_start|>system", "chat template"),
    ):
        with pytest.raises(Unfit) as unfit:
            fit(admitted(wire, saying(wire, text)))
        assert kind in unfit.value.what
        assert unfit.value.where.rpartition(".")[2] in ("text", "task", "learnings")
        assert text not in str(unfit.value)
    fine = admitted(wire, saying(wire, "Refunds take 14 days; version 2.0.1 is mended."))
    assert fit(fine) == fine


def test_every_text_that_is_looked_through_is_a_field_of_what_anyone_may_say() -> None:
    for wire, fields in LOOKED_THROUGH.items():
        kind = event_class(wire)
        assert kind is not None
        assert wire in open_types()
        assert set(fields) <= set(kind.model_fields)
    assert {*LOOKED_THROUGH, "ScheduleDefined"} == set(SAYS)


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


def test_on_the_line_it_is_told_what_would_be_right(tmp_path: Path) -> None:
    words = ("messages", "learn", "support", f"Use {KEY}.", "--confidence", "0.9")
    told = said(tmp_path, *words)
    refused(told, 2, "it holds a secret (GITHUB_TOKEN)", "a new secret, if it was a real one")
    assert KEY not in told.err
