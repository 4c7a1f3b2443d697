"""The schemas that a role states are JSON Schemas, small ones, and refer to nothing outside."""

import json
from math import nan
from typing import Any

import pytest
from pydantic import JsonValue, ValidationError

from events.catalog.json_schemas import LARGEST, LEVELS
from events.catalog.roles import RoleProfile
from events.suggest import malformed


def accepted(schema: object) -> dict[str, JsonValue]:
    role = {"name": "a", "purpose": "b", "model_type": "c", "output_schema": schema}
    return RoleProfile.model_validate_json(json.dumps(role)).output_schema


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": ["string", "null"]},
        {
            "type": "object",
            "properties": {"label": {"$ref": "#/$defs/label"}},
            "$defs": {"label": True},
        },
        {"anyOf": [{"type": "integer"}, {"const": "none"}]},
        {"properties": {"type": {"type": "string"}, "items": False}},
    ],
)
def test_a_json_schema_is_taken(schema: dict[str, Any]) -> None:
    assert accepted(schema) == schema


def nested(levels: int) -> dict[str, Any]:
    return {"items": nested(levels - 1)} if levels else {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "where", "right"),
    [
        ("string", "", "an object"),
        ({"type": "strnig"}, ".type", "did you mean 'string'?"),
        ({"type": []}, ".type", "one of array, boolean"),
        ({"items": {"type": "text"}}, ".items.type", "one of array, boolean"),
        ({"properties": {"a": "string"}}, ".properties.a", "an object, true or false"),
        ({"properties": ["a"]}, ".properties", "names, with a schema each"),
        ({"required": "a"}, ".required", "a list of fields"),
        ({"enum": []}, ".enum", "one value at least"),
        ({"anyOf": []}, ".anyOf", "one at least"),
        ({"oneOf": [{}, 1]}, ".oneOf.1", "an object, true or false"),
        ({"$ref": "https://example.org/schema"}, ".$ref", "a reference such as #/$defs/name"),
        (nested(LEVELS + 1), "", f"at most {LEVELS} levels"),
        ({"description": "x" * LARGEST}, "", f"at most {LARGEST:,}"),
    ],
)
def test_what_is_no_json_schema_is_refused_where_it_breaks(
    schema: object, where: str, right: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        accepted(schema)
    told = malformed(RoleProfile, caught.value)
    assert told.where == f"output_schema{where}"
    assert right in told.right


def test_numbers_that_json_cannot_write_are_no_schema() -> None:
    with pytest.raises(ValidationError, match="numbers that JSON can write"):
        accepted({"minimum": nan})
