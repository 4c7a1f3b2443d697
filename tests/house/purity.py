"""Deciders are pure: the rules for everything in an agent's folder except its workers, and what
only they use.

They see what a file says, not what it means: a set of strings that is iterated, or a float that
is summed in another order, passes. The replay of whole histories is there to find those.
"""

import ast
from collections.abc import Iterator

from tests.house.anatomy import Finding
from tests.house.source import Import, Source, imports

PURE_LIBRARY = {
    "__future__",
    "abc",
    "bisect",
    "calendar",
    "collections",
    "collections.abc",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "enum",
    "fractions",
    "functools",
    "graphlib",
    "hashlib",
    "heapq",
    "itertools",
    "json",
    "math",
    "numbers",
    "operator",
    "re",
    "statistics",
    "string",
    "textwrap",
    "types",
    "typing",
    "unicodedata",
    "uuid",
    "zoneinfo",
}
"""Modules whose answers depend on their arguments alone (calls are looked at below)."""

NEVER_THE_SAME = {
    "new_id": "derived_id(...) of what caused it",
    "uuid1": "derived_id(...) of what caused it",
    "uuid4": "derived_id(...) of what caused it",
}
CLOCKS = {"now", "utcnow", "today"}
EFFECTS = {
    "open": "a worker that reads, and an event that tells what was read",
    "input": "an event that a person publishes",
    "print": "an event, or nothing",
    "hash": "hashlib, whose answer is the same in every process",
    "id": "an id that stands in an event",
    "__import__": "an import at the top of the file",
    "eval": "plain code",
    "exec": "plain code",
}


EFFECTFUL = {"workers", "sources", "collaboration", "pairing"}
"""Folders of an agent that act: its workers, where they read from, and with whom they work."""


def decides_purely(source: Source) -> bool:
    """Whether this file belongs to the pure part of an agent."""
    inside = len(source.parts) > 2 and source.parts[0] == "agents"
    return inside and EFFECTFUL.isdisjoint(source.parts[2:-1])


def deciders_import_only_what_is_pure(source: Source) -> Iterator[Finding]:
    if not decides_purely(source):
        return
    for found in imports(source.tree):
        if not found.level and not _may_import(source.parts[1], found):
            yield Finding(
                source.path,
                found.line,
                f"a decider imports {found.module}",
                "events (not its databases or brokers), pipelines, agents.agent, pure modules of"
                " its own folder and the pure standard library; effects belong into workers/",
            )
        if found.name in NEVER_THE_SAME:
            yield _unrepeatable(source, found.line, found.name, NEVER_THE_SAME[found.name])


def deciders_call_only_what_is_pure(source: Source) -> Iterator[Finding]:
    if not decides_purely(source):
        return
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in EFFECTS:
                yield _unrepeatable(source, node.lineno, name, EFFECTS[name])
            case ast.Call(func=ast.Attribute(attr=name)) if name in CLOCKS:
                yield _unrepeatable(source, node.lineno, name, "the time of the event at hand")
            case ast.Attribute(value=ast.Name(id="datetime" | "date"), attr=name) if name in CLOCKS:
                yield _unrepeatable(source, node.lineno, name, "the time of the event at hand")
            case ast.Attribute(attr=name) if name in NEVER_THE_SAME:
                yield _unrepeatable(source, node.lineno, name, NEVER_THE_SAME[name])


def _may_import(agent: str, found: Import) -> bool:
    whole = f"{found.module}.{found.name}" if found.name else found.module

    def below(package: str) -> bool:
        return f"{whole}.".startswith(f"{package}.")

    if below("events.sql") or below("events.nats"):
        return False
    if any(below(f"agents.{agent}.{folder}") for folder in EFFECTFUL):
        return False
    ours = ("events", "pipelines", "agents.agent", f"agents.{agent}")
    return found.module in PURE_LIBRARY or any(below(package) for package in ours)


def _unrepeatable(source: Source, line: int, name: str, right: str) -> Finding:
    wrong = f"a decider uses {name}, so a replay would not decide the same again"
    return Finding(source.path, line, wrong, right)


PURITY = (deciders_import_only_what_is_pure, deciders_call_only_what_is_pure)
