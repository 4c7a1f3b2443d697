"""What a class expects at a place, in plain words: its JSON schema, walked down and read aloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, get_args

from pydantic import BaseModel
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from events.message import Name

Schema = Mapping[str, Any]

KEY = "[key]"
"""Pydantic's mark for a finding about the key of an entry, not about its value."""
DEEPEST = 12
"""References and alternatives are followed so far; a schema that goes on is a circle."""
MOST_NAMED = 40
"""Fields, or allowed values, that one sentence lists."""
NAME = "a name of at most 100 letters, digits, '.', '_' and '-', a letter or digit first"
PATTERNS = {get_args(Name)[1].pattern: NAME}
FORMATS = {
    "date-time": "a time such as 2026-11-21T03:00:00Z",
    "date": "a date such as 2026-11-21",
    "password": "a secret text",
}


@dataclass(frozen=True)
class Place:
    """What may stand at a place, as alternatives; none are known where the class leaves it open."""

    path: tuple[str, ...]
    arms: tuple[Schema, ...]

    def fields(self) -> dict[str, Schema]:
        """The named fields here, with what each may hold."""
        found: dict[str, Schema] = {}
        for arm in self.arms:
            found |= _mapping(arm, "properties")
        return found

    def secret(self) -> bool:
        return any(arm.get("format") == "password" for arm in self.arms)

    def words(self) -> str:
        """What would be right here, as a phrase; empty where anything would be."""
        return " or ".join(dict.fromkeys(filter(None, map(_words, self.arms))))


class _Quiet(GenerateJsonSchema):
    """Defaults that JSON cannot write do not matter here."""

    ignored_warning_kinds: ClassVar[set[JsonSchemaWarningKind]] = {  # type: ignore[misc]
        "non-serializable-default",
        "skipped-choice",
    }


@lru_cache(maxsize=256)
def _whole(kind: type[BaseModel]) -> Schema:
    try:
        return kind.model_json_schema(schema_generator=_Quiet)
    except (PydanticUserError, PydanticUndefinedAnnotation):
        return {}


def place(kind: type[BaseModel], loc: Sequence[int | str], *, field_last: bool = False) -> Place:
    """Walk down along pydantic's location, leaving out its marks for the arms of a union.

    With `field_last` the last step is the name of a field, even of one that is not there.
    """
    whole = _whole(kind)
    if len(loc) > 1 and loc[-1] == KEY:
        above = place(kind, loc[:-2])
        return Place((*above.path, str(loc[-2])), tuple(_keys(above.arms)))
    nodes: list[Schema] = [whole]
    path: list[str] = []
    for index, step in enumerate(loc):
        arms = _arms(whole, nodes)
        named = [node for node in _tagged(whole, nodes, step) if node]
        below = [node for arm in arms for node in _below(arm, step)]
        last_field = field_last and index == len(loc) - 1
        if named and not last_field:
            nodes = named
        elif below:
            nodes = below
            path.append(str(step))
        elif len(arms) < 2 or last_field or isinstance(step, int):
            nodes = []
            path.append(str(step))
    return Place(tuple(path), tuple(_arms(whole, nodes)))


def _mapping(schema: Schema, key: str) -> dict[str, Any]:
    found = schema.get(key)
    return found if isinstance(found, dict) else {}


def _resolved(whole: Schema, node: Schema) -> Schema:
    for _ in range(DEEPEST):
        reference = node.get("$ref")
        if not isinstance(reference, str):
            break
        node = _mapping(whole, "$defs").get(reference.removeprefix("#/$defs/"), {})
    return node


def _arms(whole: Schema, nodes: Sequence[Schema], depth: int = 0) -> list[Schema]:
    """The alternatives behind references and unions, `null` left out."""
    found: list[Schema] = []
    for node in nodes:
        schema = _resolved(whole, node)
        inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
        if inner and depth < DEEPEST:
            found += _arms(whole, inner, depth + 1)
        elif schema.get("type") != "null":
            found.append(schema)
    return found


def _tagged(whole: Schema, nodes: Sequence[Schema], step: int | str) -> Iterator[Schema]:
    """The arm of a union that this step names: by its discriminator, else by its class."""
    for node in nodes:
        schema = _resolved(whole, node)
        reference = _mapping(_mapping(schema, "discriminator"), "mapping").get(str(step))
        if reference is not None:
            yield {"$ref": reference}
        elif "anyOf" in schema:
            arms = _arms(whole, [schema])
            if len(arms) > 1:
                yield from (arm for arm in arms if arm.get("title") == step and "properties" in arm)


def _below(schema: Schema, step: int | str) -> Iterator[Schema]:
    if isinstance(step, int) and schema.get("type") == "array":
        fixed = schema.get("prefixItems", ())
        yield fixed[step] if 0 <= step < len(fixed) else _mapping(schema, "items")
        return
    fields = _mapping(schema, "properties")
    if step in fields:
        yield fields[str(step)]
    elif "patternProperties" in schema:
        yield from _mapping(schema, "patternProperties").values()
    elif schema.get("additionalProperties"):
        yield _mapping(schema, "additionalProperties")


def _keys(arms: Sequence[Schema]) -> Iterator[Schema]:
    for arm in arms:
        for pattern in _mapping(arm, "patternProperties"):
            yield {"type": "string", "pattern": pattern}
        if "propertyNames" in arm:
            yield {"type": "string", **_mapping(arm, "propertyNames")}


def _words(schema: Schema, depth: int = 0) -> str:
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        values = [repr(value) for value in schema["enum"][:MOST_NAMED]]
        return f"one of {', '.join(values)}" if len(values) > 1 else "".join(values)
    match schema.get("type"):
        case "string":
            return _text(schema)
        case "integer":
            return f"a whole number{_range(schema)}"
        case "number":
            return f"a number{_range(schema)}"
        case "boolean":
            return "true or false"
        case "array":
            size = _size(schema, "minItems", "maxItems", "items")
            each = _words(_mapping(schema, "items"), depth + 1) if depth < 2 else ""
            return f"a list{f' of {size}' if size else ''}{f', each {each}' if each else ''}"
        case "object" if "properties" in schema:
            wanted = schema.get("required") or list(schema["properties"])[:MOST_NAMED]
            least = "at least " if schema.get("required") else "any of "
            return f"an object with {least}{', '.join(wanted)}"
        case "object":
            size = _size(schema, "minProperties", "maxProperties", "entries")
            inner = [node for node in _below(schema, "") if depth < 2]
            each = _words(inner[0], depth + 1) if inner else ""
            return f"an object{f' with {size}' if size else ''}{f', each {each}' if each else ''}"
    return ""


def _text(schema: Schema) -> str:
    pattern, examples = schema.get("pattern"), schema.get("examples")
    if pattern in PATTERNS:
        return PATTERNS[pattern]
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    size = _size(schema, "minLength", "maxLength", "characters")
    words = f"a text of {size}" if size else "a text"
    if isinstance(examples, list) and examples:
        return f"{words} such as {examples[0]!r}"
    return f"{words} that matches {pattern}" if pattern else words


def _size(schema: Schema, least: str, most: str, unit: str) -> str:
    low, high = schema.get(least, 0), schema.get(most)
    if high is None:
        return f"at least {low} {unit}" if low else ""
    return f"{low} to {high} {unit}" if low else f"at most {high} {unit}"


def _range(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" from {_number(low)} to {_number(high)}"
    bounds = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    said = [f"{word} {_number(schema[key])}" for key, word in bounds.items() if key in schema]
    return f" that is {' and '.join(said)}" if said else ""


def _number(value: float) -> str:
    return f"{int(value) if value == int(value) else value:,}"
