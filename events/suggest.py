"""Pydantic's findings as one sentence: what is wrong, where, and what would be right."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from events.errors import Malformed
from events.message import Event
from events.shape import KEY, Place, place

Finding = Mapping[str, Any]

SHOWN = 60
"""Characters that an answer repeats of a value or a name from outside."""
SAID = 500
"""Characters of a validator's own sentence, or of a path."""
MANY = 1000
"""Of more names only those that begin alike are looked at: of 10,000 all would take 50 ms."""
READ = 100
"""Findings that are told apart; what lies beyond is only counted."""


def contradiction(what: str, right: str, at: str = "") -> PydanticCustomError:
    """What a validator raises when fields do not fit each other; `at` names the one to change."""
    parts = {"what": _line(what), "right": _line(right), "at": _line(at)}
    return PydanticCustomError("contradiction", "{what}: {right}", parts)


def near(word: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant."""
    known = {_folded(name): name for name in names}
    meant = _folded(word)
    if not 0 < len(meant) <= 100:
        return None
    if len(known) > MANY:
        known = {name: own for name, own in known.items() if name[:1] == meant[:1]}
    close = get_close_matches(meant, known, n=1)
    if not close:
        close = [name for name in known if min(len(name), len(meant)) > 3 and name in meant]
    return known[close[0]] if close else None


def malformed(kind: type[BaseModel], error: ValidationError) -> Malformed:
    """The first finding, and how many more there are.

    A missing field that is there under a misspelt name is told by the misspelt one.
    """
    try:
        findings: Sequence[Finding] = error.errors(include_url=False)
    except UnicodeError:  # half a character stands in a validator's message
        findings = []
    if not findings:
        return Malformed("the data is not right", where=_title(kind))
    read = findings[:READ]
    telling = _telling(kind, read)
    what, where, right = _told(kind, telling)
    places = {_where(_found(kind, one)) for one in (read if telling is read[0] else read[1:])}
    others = len(places) - 1 + len(findings) - len(read)
    more = f" (and {others} more)" if others else ""
    return Malformed(f"{what}{more}", where=where or _title(kind), right=right)


def _telling(kind: type[BaseModel], findings: Sequence[Finding]) -> Finding:
    first = findings[0]
    if first["type"] == "missing" and first["loc"]:
        *level, wanted = first["loc"]
        fields = place(kind, level).fields()
        for one in findings:
            if one["type"] == "extra_forbidden" and one["loc"]:
                *beside, surplus = one["loc"]
                if beside == level and near(str(surplus), fields) == wanted:
                    return one
    return first


def _told(kind: type[BaseModel], finding: Finding) -> tuple[str, str, str]:
    context = finding.get("ctx") or {}
    at = _found(kind, finding)
    where, right = _where(at), at.words()
    name = _name(at, "the data")
    match finding["type"]:
        case "extra_forbidden" if at.path:
            parent = place(kind, finding["loc"][:-1])
            return (
                f"{_name(parent, _title(kind))} has no field {_name(at, '')}",
                where,
                _meant(kind, finding, parent),
            )
        case "missing":
            return f"{name} is missing", where, _with_example(kind, at, right)
        case "json_invalid":
            said = _line(str(context.get("error", "")))
            return f"the data is not JSON ({said})", where, "a JSON object"
        case "recursion_depth_exceeded" | "recursion_loop":
            return f"{name} is nested too deeply", where, "fewer levels"
        case "contradiction" if "what" in context:
            said, right, more = (_line(str(context[key])) for key in ("what", "right", "at"))
            return said, ".".join(filter(None, (where, more))), right
        case "value_error" | "assertion_error":
            said = _line(str(context.get("error", ""))) or _line(str(finding["msg"]))
            return said, where, "" if at.fields() or not at.path else right
        case "union_tag_invalid" | "union_tag_not_found":
            tag = _line(str(context.get("discriminator", ""))).strip("'")
            where = ".".join(filter(None, (where, tag)))
            wrong = f"may not be {_shown(context['tag'])}" if "tag" in context else "is missing"
            right = place(kind, (*finding["loc"], tag)).words()
            return f"{tag!r} {wrong}", where, right or _line(str(finding["msg"]))
    hidden = at.secret() or (issubclass(kind, Event) and bool(kind.personal))
    came = "what it is" if hidden else _shown(finding.get("input"))
    if finding["loc"] and finding["loc"][-1] == KEY:
        return f"{came} cannot be the name of an entry", where, right
    said = _line(str(finding["msg"])).removeprefix("Input should be ")
    return f"{name} may not be {came}", where, right or said


def _meant(kind: type[BaseModel], finding: Finding, parent: Place) -> str:
    """The field that was meant: one of this level, else one of the same name a level below."""
    word, fields = str(finding["loc"][-1]), parent.fields()
    hint = near(word, fields)
    if hint is None:
        for name in fields:
            if word in place(kind, (*finding["loc"][:-1], name)).fields():
                hint = f"{name}.{word}"
    if hint is not None:
        return f"did you mean {hint!r}?"
    return _clipped(f"one of {', '.join(fields)}", SAID) if fields else "no field at all"


def _with_example(kind: type[BaseModel], at: Place, right: str) -> str:
    if len(at.path) == 1 and issubclass(kind, Event) and at.path[0] in kind.example:
        text = json.dumps(kind.example[at.path[0]], default=str)
        if len(text) <= 2 * SHOWN:
            return f"{right}, for instance {text}" if right else text
    return right or "a value"


def _found(kind: type[BaseModel], finding: Finding) -> Place:
    missing = finding["type"] in ("extra_forbidden", "missing")
    return place(kind, finding["loc"], field_last=missing)


def _title(kind: type[BaseModel]) -> str:
    return (issubclass(kind, Event) and kind.wire) or kind.__name__


def _name(at: Place, otherwise: str) -> str:
    """The last step of a path, quoted; the number of an item says little without its list."""
    if not at.path:
        return otherwise
    last = at.path[-2:] if at.path[-1].isdecimal() else at.path[-1:]
    return repr(".".join(_line(part, SHOWN) for part in last))


def _where(at: Place) -> str:
    return _clipped(".".join(_line(part, SHOWN) for part in at.path), SAID)


def _shown(value: object) -> str:
    """A value as it may be repeated to whoever sent it: short, on one line, never a whole tree."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() if value.bit_length() > 3 * SHOWN:
            return "a number of very many digits"
        case int() | float():
            return str(value)
        case str():
            return _clipped(repr(value[:SHOWN]), SHOWN)
        case list() | tuple():
            return f"a list of {len(value)}" if value else "an empty list"
        case dict():
            return "an object" if value else "an empty object"
    return _clipped(f"a {type(value).__name__}", SHOWN)


def _line(text: str, most: int = SAID) -> str:
    """`text` on one line, and printable."""
    words = " ".join(text[: 2 * most].split())
    return _clipped("".join(one if one.isprintable() else "?" for one in words), most)


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _folded(name: str) -> str:
    return name[:101].casefold().replace("-", "_").replace(" ", "_")
