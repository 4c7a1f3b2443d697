"""The AsyncAPI document: whole in itself, and true of what is really said.

Its schemas are read here by a checker of forty lines that knows the words in use and no others, so
that a word which clients may not know is noticed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from events import message as language
from events.asyncapi import document
from events.bus import LogTailBus
from events.catalog.people import FeedbackReceived
from events.envelope import Envelope, draft
from events.errors import Malformed
from events.memory import MemoryStore
from events.message import Event, event_classes
from events.nats import subjects
from events.nats.message import headers, payload
from events.nats.permissions import Bearer, users
from events.nats.replies import refusal
from events.personal import is_sealed
from events.store import append
from infra.desk import WorkDesk
from infra.publishing import receipt
from infra.rejected import Rejected
from tests.events.messages import WORK, Noted, WorkDone, WorkRequested

TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
    "boolean": bool, "null": type(None),
}  # fmt: skip
FORMATS: dict[str, Any] = {"uuid": UUID, "date-time": datetime.fromisoformat, "password": str}
SAYS = {"title", "description", "default", "examples", "x-personal"}
BOUNDS: dict[str, Any] = {
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
    "exclusiveMinimum": lambda value, bound: value > bound,
    "exclusiveMaximum": lambda value, bound: value < bound,
    "minLength": lambda value, bound: len(value) >= bound,
    "maxLength": lambda value, bound: len(value) <= bound,
    "minItems": lambda value, bound: len(value) >= bound,
    "maxItems": lambda value, bound: len(value) <= bound,
    "minProperties": lambda value, bound: len(value) >= bound,
    "maxProperties": lambda value, bound: len(value) <= bound,
    "pattern": lambda value, bound: re.search(bound, value) is not None,
    "const": lambda value, bound: value == bound,
    "enum": lambda value, bound: value in bound,
    "required": lambda value, bound: set(bound) <= set(value),
}
APPLIES: dict[str, Any] = {
    "minimum": (int, float), "maximum": (int, float), "exclusiveMinimum": (int, float),
    "exclusiveMaximum": (int, float), "minLength": str, "maxLength": str, "pattern": str,
    "minItems": list, "maxItems": list, "minProperties": dict, "maxProperties": dict,
    "required": dict,
}  # fmt: skip


def wrong(whole: Any, schema: Any, value: Any, at: str = "") -> Iterator[str]:
    """What of the value does not fit, and every word that is not known here."""
    for word, said in schema.items():
        match word:
            case "$ref":
                yield from wrong(whole, found(whole, said), value, at)
            case "type":
                kinds = [TYPES[one] for one in ([said] if isinstance(said, str) else said)]
                if not any(isinstance(value, kind) for kind in kinds):
                    yield f"{at}: {value!r} is no {said}"
            case "allOf":
                for arm in said:
                    yield from wrong(whole, arm, value, at)
            case "anyOf" | "oneOf":
                fits = sum(not list(wrong(whole, arm, value, at)) for arm in said)
                if not fits or (word == "oneOf" and fits > 1):
                    yield f"{at}: {fits} alternatives fit {value!r}"
            case "properties" | "additionalProperties" | "patternProperties" | "items":
                yield from _inner(whole, schema, word, value, at)
            case "format":  # it says nothing of what is no text
                if isinstance(value, str):
                    FORMATS[said](value)
            case _ if word in BOUNDS:
                if isinstance(value, APPLIES.get(word, object)) and not BOUNDS[word](value, said):
                    yield f"{at}: {value!r} against {word} {said!r}"
            case _:
                assert word in SAYS, f"{at}: {word!r} is a word that nobody here knows"


def _inner(whole: Any, schema: Any, word: str, value: Any, at: str) -> Iterator[str]:
    said = schema[word]
    if word == "items" and isinstance(value, list):
        for index, one in enumerate(value):
            yield from wrong(whole, said, one, f"{at}/{index}")
    if word == "items" or not isinstance(value, dict):
        return
    patterns = schema.get("patternProperties", {})
    for name, one in value.items():
        if word == "properties" and name in said:
            yield from wrong(whole, said[name], one, f"{at}/{name}")
        elif word == "patternProperties":
            for pattern in filter(lambda pattern: re.search(pattern, name), said):
                yield from wrong(whole, said[pattern], one, f"{at}/{name}")
        elif word == "additionalProperties" and not (
            name in schema.get("properties", {}) or any(re.search(p, name) for p in patterns)
        ):
            if said is False:
                yield f"{at}: {name!r} is unknown"
            elif said is not True:
                yield from wrong(whole, said, one, f"{at}/{name}")


def found(whole: Any, reference: str) -> Any:
    """What a reference leads to."""
    assert reference.startswith("#/"), reference
    node = whole
    for step in reference[2:].split("/"):
        node = node[step]
    return node


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for one in node.values():
            yield from references(one)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return document()


def fits(whole: Any, name: str, part: str, value: Any) -> None:
    """The value is what the document says of this part of a message."""
    assert list(wrong(whole, whole["components"]["messages"][name][part], value)) == []


def ours() -> dict[str, type[Event]]:
    """The catalogue without what other tests have added to it; those have no examples."""
    kinds = event_classes().items()
    return {wire: kind for wire, kind in kinds if kind.__module__.startswith("events.")}


async def each_told() -> list[Envelope]:
    """An event of each kind, as a log holds it."""
    store = MemoryStore()
    for kind in ours().values():
        one = draft(kind.model_validate_json(json.dumps(kind.example)))
        await append(store, one._replace(outcome=False, closes=""))
    log = await store.read()
    await store.close()
    return list(log)


def test_every_reference_leads_somewhere_and_nothing_is_left_over(whole: dict[str, Any]) -> None:
    named = set(references(whole))
    for reference in named:
        found(whole, reference)
    for channel in whole["channels"]:
        assert f"#/channels/{channel}" in named
    for group, parts in whole["components"].items():
        for part in parts:
            assert f"#/components/{group}/{part}" in named, part
    assert json.loads(json.dumps(whole)) == whole


def test_channels_are_the_subjects_that_are_promised(whole: dict[str, Any]) -> None:
    by_address = {one["address"]: (name, one) for name, one in whole["channels"].items()}
    actions = {name: one["action"] for name, one in whole["operations"].items()}
    for wire, kind in event_classes().items():
        name, heard = by_address[f"{subjects.EVENTS}.{wire}.{{partition}}"]
        assert (actions[name], heard["x-scope"]) == ("receive", "read")
        told = by_address.get(f"{subjects.PUBLISH}.{wire}")
        scope = {"anyone": "publish", "operator": "admin"}.get(kind.publisher)
        assert (told[1]["x-scope"] if told else None) == scope
    for operation in subjects.OPERATIONS:
        assert actions[by_address[f"{subjects.WORK}.{operation}"][0]] == "send"
    partitions = whole["components"]["parameters"]["partition"]["enum"]
    assert {subjects.partition(f"run/{n}") for n in range(1000)} == set(partitions)


@pytest.mark.parametrize("scope", ["publish", "read", "worker", "admin"])
def test_the_scope_of_a_channel_opens_it_on_the_server(whole: dict[str, Any], scope: str) -> None:
    (user,) = users([Bearer("a.b", "0" * 64, "x", (scope,))], "", "", False)[1:]
    for channel in whole["channels"].values():
        if channel["address"] and (scope in ("admin", channel["x-scope"])):
            address = channel["address"].replace("{partition}", "00")
            allowed = [*user.says, *user.hears]
            assert any(_covers(one, address) for one in allowed), (scope, address)


def _covers(rule: str, subject: str) -> bool:
    pattern = re.escape(rule).replace(r"\*", "[^.]+").replace(">", ".+")
    return re.fullmatch(pattern, subject) is not None


async def test_what_is_really_told_is_what_the_document_says(whole: dict[str, Any]) -> None:
    log = await each_told()
    assert {one.type for one in log} == set(ours())
    for one in log:
        fits(whole, f"events.{one.type}", "payload", json.loads(payload(one)))
        for caused in (one, one._replace(cause_id=one.event_id)):
            told = headers(caused)
            fits(whole, f"events.{one.type}", "headers", told)
            assert set(told) <= set(whole["components"]["schemas"]["told"]["properties"])


async def test_what_is_not_told_does_not_fit(whole: dict[str, Any]) -> None:
    """The checker itself is awake."""
    shape = whole["components"]["messages"]["events.RoleDefined"]["payload"]
    (one,) = [one for one in await each_told() if one.type == "RoleDefined"]
    told = json.loads(payload(one))
    changes: tuple[dict[str, Any], ...] = (
        {"type": "RunStarted"}, {"schema": 99}, {"position": 0}, {"hash": "x"},
        {"data": {**told["data"], "surplus": 1}}, {"data": {}},
    )  # fmt: skip
    for change in changes:
        assert list(wrong(whole, shape, {**told, **change})), change
    assert list(wrong(whole, shape, {name: told[name] for name in told if name != "actor"}))


async def test_personal_texts_are_published_plain_and_told_sealed(whole: dict[str, Any]) -> None:
    wire = FeedbackReceived.wire
    (one,) = [one for one in await each_told() if one.type == wire]
    told = json.loads(payload(one))
    assert is_sealed(told["data"]["subject"])
    fits(whole, f"publish.{wire}", "payload", FeedbackReceived.example)
    shape = whole["components"]["messages"][f"events.{wire}"]["payload"]
    plain = {**told, "data": {**told["data"], **FeedbackReceived.example}}
    assert len(list(wrong(whole, shape, plain))) == 2


async def test_examples_receipts_and_refusals_fit(whole: dict[str, Any]) -> None:
    for name, one in whole["components"]["messages"].items():
        for example in one.get("examples", ()):
            fits(whole, name, "payload", example["payload"])
    for told in await each_told():
        fits(whole, "receipt", "payload", receipt(told))
    fits(whole, "refusal", "payload", refusal(Malformed("no", where="there", right="yes")))


async def test_a_desk_is_asked_and_answers_as_the_document_says(
    whole: dict[str, Any], tmp_path: Path
) -> None:
    store = MemoryStore()
    bus = LogTailBus(store)
    desk = WorkDesk(store, bus, Rejected(tmp_path))

    async def ask(operation: str, reply: str, asked: dict[str, Any]) -> dict[str, Any]:
        fits(whole, f"work.{operation}", "payload", asked)
        answer = await desk.serve(operation, json.dumps(asked).encode(), "far")
        fits(whole, reply, "payload", answer)
        return answer

    claim = {"kinds": [WORK], "holder": "far", "seconds": 60.0}
    assert (await ask("claim", "granted", claim))["request"] is None
    await append(store, WorkRequested())
    granted = await ask("claim", "granted", claim)
    held = {"request_id": granted["request"]["event_id"], "epoch": granted["epoch"]}
    await ask("renew", "renewed", {**held, "seconds": 30.0})
    await ask("progress", "heard", {"request_id": held["request_id"], "says": {"done": 1}})
    await ask("answer", "receipt", {**held, "type": WorkDone.wire, "data": {"result": "good"}})
    await bus.close()
    await store.close()


def test_a_type_that_is_added_to_the_catalogue_appears(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {f"events.{Noted.wire}", f"publish.{Noted.wire}"}
    assert names <= set(document()["channels"])
    monkeypatch.delitem(language._named, Noted.wire)
    without = document()
    assert not names & set(without["channels"])
    assert not names & set(without["components"]["messages"])
