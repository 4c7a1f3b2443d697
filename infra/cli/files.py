"""Files that people write: YAML or JSON, read into what JSON can hold.

YAML is read by the rules of its version 1.2: `no` and `on` are texts, a time is a text, `1e-4` is a
number, and a key that stands twice is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from events.errors import Malformed, NotFound, RatchetError
from events.ingress import LIMIT, parsed

SUFFIXES = (".yaml", ".yml", ".json")
MOST = 100_000
"""Values that one file may hold, its repetitions by alias counted."""
DEEPEST = 64

_FIRST: dict[str, str] = {
    "tag:yaml.org,2002:bool": "tfTF",
    "tag:yaml.org,2002:int": "-+0123456789",
    "tag:yaml.org,2002:float": "-+.0123456789",
    "tag:yaml.org,2002:null": "~nN",
}
_PLAIN = {
    "tag:yaml.org,2002:bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    "tag:yaml.org,2002:int": re.compile(r"[-+]?(0|[1-9][0-9]*)"),
    "tag:yaml.org,2002:float": re.compile(
        r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
    ),
    "tag:yaml.org,2002:null": re.compile(r"~|null|Null|NULL"),
}


class _Loader(yaml.SafeLoader):
    """Safe, strict about keys, and plain about values."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            name = getattr(key, "value", None)
            if isinstance(name, str) and name in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{name!r} stands there twice", key.start_mark
                )
            seen.add(name if isinstance(name, str) else id(key))
        return super().construct_mapping(node, deep)


for _tag, _pattern in _PLAIN.items():
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern.pattern})$"), list(_FIRST[_tag]))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^$"), [""])


def content(file: Path) -> dict[str, Any]:
    """What the file says; one sentence that names it where it cannot be read."""
    try:
        body = file.read_bytes()
        found = parsed(body) if file.suffix == ".json" else _yaml(body)
    except FileNotFoundError:
        raise NotFound("there is no such file", where=str(file)) from None
    except OSError as error:
        raise Malformed(
            f"the file cannot be read ({error.strerror})", where=str(file), right="a readable file"
        ) from None
    except RatchetError as error:
        raise at(file, error) from None
    if not isinstance(found, dict):
        raise Malformed("the file holds no fields", where=str(file), right="lines of `key: value`")
    return found


def files(paths: Iterable[str]) -> list[Path]:
    """These files, and those in these folders, each once and in order."""
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            found[path] = None
            continue
        inside = sorted(one for one in path.iterdir() if one.suffix in SUFFIXES and one.is_file())
        if not inside:
            raise NotFound(
                "the folder holds no file to apply", where=str(path), right="*.yaml or *.json"
            )
        found |= dict.fromkeys(inside)
    return list(found)


def at(file: Path, error: RatchetError) -> RatchetError:
    """The same error, with the file in which it lies."""
    where = f"{file}, {error.where}" if error.where not in ("", "body") else str(file)
    return type(error)(error.what, where=where, right=error.right)


def _yaml(body: bytes) -> Any:
    if len(body) > LIMIT:
        raise Malformed(f"the file has {len(body):,} bytes", right=f"at most {LIMIT:,}")
    try:
        found = yaml.load(body.decode(), _Loader)
        _bounded(found)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Malformed(f"this is not YAML in UTF-8 ({_sentence(error)})") from None
    return found


def _sentence(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    parts = [getattr(error, name, None) for name in ("context", "problem")]
    problem = ", ".join(filter(None, parts)) or str(error)
    place = f", line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    return " ".join(problem.split())[:300] + place


def _bounded(value: Any) -> None:
    """What JSON can hold, and not too much of it."""
    open_ones, count = [(value, 0)], 0
    while open_ones:
        one, depth = open_ones.pop()
        count += 1
        if count > MOST or depth > DEEPEST:
            raise ValueError("it holds too much")
        if isinstance(one, dict):
            strange = next((key for key in one if not isinstance(key, str)), None)
            if strange is not None:
                raise ValueError(f"the key {str(strange)[:60]!r} is no text; put it in quotes")
            open_ones += [(inner, depth + 1) for inner in one.values()]
        elif isinstance(one, list):
            open_ones += [(inner, depth + 1) for inner in one]
        elif not isinstance(one, str | int | float | bool | None):
            raise ValueError(f"{str(one)[:60]!r} is nothing that JSON can hold")
