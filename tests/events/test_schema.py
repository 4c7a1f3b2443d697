"""The catalogue as one JSON Schema: complete, and whole in itself."""

from __future__ import annotations

import json
import re

import pytest

from events.ingress import open_types
from events.message import event_classes
from events.schema import described, document

CATALOGUE = {
    wire: kind
    for wire, kind in event_classes().items()
    if kind.__module__.startswith("events.catalog.")
}


def test_every_event_has_its_place_in_the_document() -> None:
    messages = document()["oneOf"]
    assert [one["properties"]["type"]["const"] for one in messages] == list(event_classes())
    assert [one["title"] for one in messages if one["x-publisher"] == "anyone"] == open_types()


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    references = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(whole)))
    assert references <= set(whole["$defs"])
    assert {kind.__name__ for kind in CATALOGUE.values()} <= references


@pytest.mark.parametrize("wire", CATALOGUE)
def test_an_event_is_described_in_a_sentence_with_an_example(wire: str) -> None:
    kind = CATALOGUE[wire]
    found = described(kind)
    assert found["type"] == wire
    assert found["doc"].endswith(".")
    assert "/" in found["stream"]
    assert found["schema"]["additionalProperties"] is False
    kind.model_validate_json(json.dumps(found["example"]))
