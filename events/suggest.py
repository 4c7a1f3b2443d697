"""What is wrong with a message, where, and what would be right: pydantic's findings as one sentence.

The place of a finding is walked down the JSON schema of the class, so that the answer knows the
fields, types and bounds of exactly that place, however deep it lies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticCustomError

from events.errors import Malformed
from events.message import Name

Schema = Mapping[str, Any]
Finding = Mapping[str, Any]

CONTRADICTION = "contradiction"
MOST_SHOWN = 60
"""Characters of a value from outside that an answer repeats."""
MOST_READ = 100
"""Findings that are told apart; a message with more of them is beyond counting."""
MOST_TEXT = 400
KEY = "[key]"
PHRASES = {
    Name.__metadata__[0].pattern: "a name of letters, digits, '.', '_' and '-', 100 at most",
}
"""Patterns that have plain words."""
FORMATS = {
    "date-time": "a time such as 2026-11-21T03:00:00Z",
    "date": "a date such as 2026-11-21",
    "password": "a secret text",
    "uuid": "a uuid",
}


def contradiction(what: str, right: str, at: str = "") -> PydanticCustomError:
    """What a validator raises when fields do not fit each other; `at` names the one to change."""
    return PydanticCustomError(
        CONTRADICTION, "{what}: {right}", {"what": what, "right": right, "at": at}
    )


def near(word: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant."""
    known = {_folded(name): name for name in names}
    meant = _folded(word)
    if not meant or len(meant) > 100:
        return None
    close = get_close_matches(meant, known, n=1)
    if not close and len(meant) > 3:
        close = [name for name in known if len(name) > 3 and (name in meant or meant in name)]
    return known[close[0]] if close else None


def malformed(kind: type[BaseModel], error: ValidationError) -> Malformed:
    """The first finding of `error` as what, where and right, with the number of the others."""
    findings = error.errors(include_url=False)
    if not findings:
        return Malformed("the data is not right", where=_title(kind))
    whole = _schema(kind)
    places = [_place(whole, finding["loc"]) for finding in findings[:MOST_READ]]
    chosen = _telling(whole, findings[:MOST_READ])
    others = len({place.where for place in places}) - 1 + len(findings[MOST_READ:])
    what, where, right = _told(kind, whole, findings[chosen], places[chosen])
    if others:
        what = f"{what} (and {others} more)"
    return Malformed(what, where=where or _title(kind), right=right)


class _Place:
    """Where a finding lies: what is expected there, and the path as people write it."""

    def __init__(self, schemas: list[Schema], path: list[str], is_key: bool = False) -> None:
        self.schemas, self.path, self.is_key = schemas, path, is_key
        self.where = _clipped(".".join(path), MOST_TEXT)

    def fields(self) -> dict[str, Schema]:
        found: dict[str, Schema] = {}
        for schema in self.schemas:
            found |= schema.get("properties", {})
        return found


def _told(
    kind: type[BaseModel], whole: Schema, finding: Finding, place: _Place
) -> tuple[str, str, str]:
    type_, context = finding["type"], finding.get("ctx") or {}
    name = repr(place.path[-1]) if place.path else "the data"
    came = finding.get("input")
    match type_:
        case "extra_forbidden":
            parent = _place(whole, finding["loc"][:-1])
            owner = repr(parent.path[-1]) if parent.path else _title(kind)
            return f"{owner} has no field {name}", place.where, _meant(whole, finding, parent)
        case "missing":
            right = _words(whole, place.schemas)
            sample = getattr(kind, "example", {}).get(place.where) if place.path else None
            shown = "" if sample is None else json.dumps(sample, default=str)
            if 0 < len(shown) <= 2 * MOST_SHOWN:
                right = f"{right}, for instance {shown}"
            return f"{name} is missing", place.where, right
        case "json_invalid":
            detail = _line(str(context.get("error", "")))
            return "the data is not JSON", place.where, detail or "a JSON object"
        case "recursion_depth_exceeded" | "recursion_loop":
            return f"{name} is nested too deeply", place.where, "fewer levels"
        case "contradiction":
            at = _line(str(context.get("at", "")))
            where = ".".join(part for part in (place.where, at) if part)
            return _line(str(context.get("what"))), where, _line(str(context.get("right")))
        case "value_error" | "assertion_error":
            said = _line(str(context.get("error", finding["msg"])))
            simple = all("properties" not in schema for schema in place.schemas)
            words = _words(whole, place.schemas) if simple and place.path else ""
            return said or f"{name} is not right", place.where, words
        case "union_tag_invalid" | "union_tag_not_found":
            tag = _line(str(context.get("discriminator", ""))).strip("'")
            allowed = _line(str(context.get("expected_tags", ""))) or "one of the known ones"
            where = ".".join(part for part in (place.where, tag) if part)
            wrong = "may not be " + _shown(context["tag"]) if "tag" in context else "is missing"
            return f"{tag!r} {wrong}", where, f"one of {allowed}"
    if place.is_key:
        right = _words(whole, place.schemas)
        return f"{_shown(came)} is no name for an entry", place.where, right
    right = _words(whole, place.schemas) or _pydantics(str(finding["msg"]))
    secret = any(schema.get("format") == "password" for schema in place.schemas)
    return f"{name} may not be {'what it is' if secret else _shown(came)}", place.where, right


def _telling(whole: Schema, findings: list[Any]) -> int:
    """The first finding, unless a missing field is there under a misspelt name: then that one."""
    first = findings[0]
    if first["type"] != "missing":
        return 0
    level, wanted = first["loc"][:-1], str(first["loc"][-1])
    fields = _place(whole, level).fields()
    for index, finding in enumerate(findings):
        if finding["type"] == "extra_forbidden" and finding["loc"][:-1] == level:
            if near(str(finding["loc"][-1]), fields or [wanted]) == wanted:
                return index
    return 0


def _meant(whole: Schema, finding: Finding, parent: _Place) -> str:
    """The field that was meant: one of this level, else one of this name a level below."""
    word, fields = str(finding["loc"][-1]), parent.fields()
    hint = near(word, fields)
    if hint is None:
        for name, schema in fields.items():
            if any(word in arm.get("properties", {}) for arm in _arms(whole, schema)):
                hint = f"{name}.{word}"
    if hint is not None:
        return f"did you mean {hint!r}?"
    if not fields:
        return "it has no fields"
    return _clipped(f"its fields are {', '.join(fields)}", MOST_TEXT)


@lru_cache(maxsize=256)
def _schema(kind: type[BaseModel]) -> Schema:
    try:
        return kind.model_json_schema()
    except PydanticUserError:
        return {}


def _place(whole: Schema, loc: tuple[int | str, ...]) -> _Place:
    """Walk down. Steps that lead nowhere are pydantic's marks for an arm of a union."""
    schemas, path, is_key = list(_arms(whole, whole)), [], False
    for index, part in enumerate(loc):
        if part == KEY and index == len(loc) - 1 and path:
            names = [s["propertyNames"] for s in schemas if isinstance(s.get("propertyNames"), dict)]
            return _Place(names, path, True)
        tagged = [arm for s in schemas for arm in _tagged(whole, s, part)]
        below = [arm for s in schemas for step in _steps(s, part) for arm in _arms(whole, step)]
        if below:
            schemas = below
        elif tagged:
            schemas = tagged
            continue
        elif not any(schema.get("x-arm") for schema in schemas) or index == len(loc) - 1:
            pass
        path.append(_clipped(str(part), MOST_SHOWN))
    return _Place(schemas, path, is_key)
