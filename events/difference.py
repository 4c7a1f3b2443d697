"""How two states differ: what came, what went, and what has another value, by path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

ABSENT = object()


class Change(NamedTuple):
    """One place at which the states differ; `ABSENT` where one of them has nothing there."""

    path: str
    before: Any
    after: Any


def changes(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """Every place that differs, as deep as both sides have the same kind of container."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            place = f"{path}.{key}" if path else str(key)
            yield from changes(before.get(key, ABSENT), after.get(key, ABSENT), place)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            was, is_now = (side[index] if index < len(side) else ABSENT for side in (before, after))
            yield from changes(was, is_now, f"{path}.{index}" if path else str(index))
    elif type(before) is not type(after) or before != after:
        yield Change(path, before, after)


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The changes, as they are shown to people and programs."""
    found: dict[str, dict[str, Any]] = {"added": {}, "removed": {}, "changed": {}}
    for path, was, is_now in changes(before, after):
        if was is ABSENT:
            found["added"][path] = is_now
        elif is_now is ABSENT:
            found["removed"][path] = was
        else:
            found["changed"][path] = {"from": was, "to": is_now}
    return found
