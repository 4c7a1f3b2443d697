"""The JSON Schema that a role states for its inputs and outputs, checked when it is written.

Only the shape is checked, not every keyword of the standard: types are among the seven, what holds
a schema holds one, references stay inside the document (nobody is made to fetch a page), and the
whole is small. The order of its keys is kept, because models write the fields in that order.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

from events.suggest import contradiction, near

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
LEVELS = 32
LARGEST = 65_536
"""Bytes that a schema may have when it is written as JSON."""

ONE = ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then")
SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
NAMED = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")


def any_text() -> dict[str, JsonValue]:
    """The schema of a role that states none."""
    return {"type": "string"}


def _checked(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    _finite(schema, 0)
    size = len(json.dumps(schema))
    if size > LARGEST:
        raise contradiction(f"the schema has {size:,} bytes", f"at most {LARGEST:,}")
    _check(schema, "")
    return schema


def _finite(value: JsonValue, level: int) -> None:
    if level > LEVELS:
        raise contradiction("the schema is nested too deeply", f"at most {LEVELS} levels")
    if isinstance(value, float) and not isfinite(value):
        raise contradiction(f"the schema holds the number {value}", "numbers that JSON can write")
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            _finite(one, level + 1)


def _check(schema: JsonValue, at: str) -> None:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise contradiction("there is no schema at this place", "an object, true or false", at)
    _check_type(schema.get("type", "object"), _under(at, "type"))
    _check_words(schema, at)
    for key in ONE:
        if key in schema:
            _check(schema[key], _under(at, key))
    for key in SEVERAL:
        if key in schema:
            inner, place = schema[key], _under(at, key)
            if not isinstance(inner, list) or not inner:
                raise contradiction(f"{key!r} holds no list of schemas", "one at least", place)
            for index, one in enumerate(inner):
                _check(one, _under(place, str(index)))
    for key in NAMED:
        if key in schema:
            inner, place = schema[key], _under(at, key)
            if not isinstance(inner, dict):
                raise contradiction(f"{key!r} is no object", "names, with a schema each", place)
            for name, one in inner.items():
                _check(one, _under(place, name))


def _check_type(types: JsonValue, at: str) -> None:
    several = types if isinstance(types, list) and types else [types]
    for one in several:
        if one not in TYPES:
            hint = near(one, TYPES) if isinstance(one, str) else None
            right = f"did you mean {hint!r}?" if hint else f"one of {', '.join(TYPES)}"
            raise contradiction(f"{str(one)[:60]!r} is no type of JSON Schema", right, at)


def _check_words(schema: dict[str, JsonValue], at: str) -> None:
    required, reference = schema.get("required", []), schema.get("$ref", "#")
    if not isinstance(required, list) or not all(isinstance(one, str) for one in required):
        raise contradiction(
            "'required' is no list of names", "a list of fields", _under(at, "required")
        )
    if not isinstance(schema.get("enum", [1]), list) or schema.get("enum") == []:
        raise contradiction("'enum' lists no values", "one value at least", _under(at, "enum"))
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise contradiction(
            "'$ref' leads out of the schema", "a reference such as #/$defs/name", _under(at, "$ref")
        )


def _under(at: str, key: str) -> str:
    return f"{at}.{key[:60]}" if at else key[:60]


JsonSchema = Annotated[
    dict[str, JsonValue],
    Field(max_length=100, examples=[{"type": "string"}]),
    AfterValidator(_checked),
]
"""Any JSON object that is itself a JSON Schema."""
