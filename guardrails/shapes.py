"""The JSON Schema by which a structured answer is asked for, in the form that strict servers take.

Strict servers want every field required and no others, and no defaults. An object with free keys
cannot be said that way: then the schema is sent as it is, and not called strict.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import BaseModel


class Shape(NamedTuple):
    """A class of answers, as a server is told of it."""

    name: str
    schema: dict[str, Any]
    strict: bool
    text: str
    """The schema as a line, for those who only read."""


@lru_cache(maxsize=256)
def shape_of(kind: type[BaseModel]) -> Shape:
    """The shape of this class."""
    schema = kind.model_json_schema()
    free = _has_free_keys(schema)
    told = schema if free else _strict(schema)
    name = re.sub(r"[^A-Za-z0-9_-]", "_", kind.__name__)[:64]
    return Shape(name, told, not free, json.dumps(told, separators=(",", ":")))


def _has_free_keys(node: Any) -> bool:
    if isinstance(node, list):
        return any(_has_free_keys(one) for one in node)
    if not isinstance(node, dict):
        return False
    extra = node.get("additionalProperties", False)
    is_free = extra is not False or (node.get("type") == "object" and "properties" not in node)
    return is_free or any(_has_free_keys(one) for one in node.values())


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(one) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:  # nothing may stand beside a reference
        return {"$ref": node["$ref"]}
    told = {key: _strict(value) for key, value in node.items() if key != "default"}
    if "properties" in told:
        fields = {name: _strict(field) for name, field in node["properties"].items()}
        told |= {"properties": fields, "required": list(fields), "additionalProperties": False}
    return told
