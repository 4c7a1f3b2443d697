"""What the words that name a base mean: which of them are registered models, and which one.

    tiny            a small model is made for the run
    role/v2         the second model that was registered for the role, whatever became of it
    sha256:3f2a...  a registered or added model, by at least eight digits of its hash
    NAME            a model that somebody has added under this name
    anything else   the path of a folder, or a hub id; whether it is there, loading it tells

`NAME/v2` always means a version of a role: a hub id of just this form has to be added first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from events.catalog.gates import CandidateRegistered
from events.catalog.registry import ModelAdded
from events.catalog.training import Artifact
from events.message import Event

TINY = "tiny"
GIVEN = "base.given"
"""What the registered model is among the inputs of stages, where the base names one."""
MOST = 100
"""Versions of a role that can be named as a base; older ones are exported, or added by name."""
ADDED = 1000
"""The same of models that were added."""
VERSION = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,99})/v([1-9][0-9]{0,8})")
HASH = re.compile(r"sha256:([0-9a-f]{8,64})")


class Known(NamedTuple):
    """The models that can be named."""

    versions: Mapping[str, tuple[Artifact, ...]] = {}
    """By role, the oldest first."""
    counts: Mapping[str, int] = {}
    """How many were registered for each role in all."""
    added: Mapping[str, Artifact] = {}
    """By the names that people gave them."""


class Found(NamedTuple):
    """What a name means."""

    model: Artifact | None = None
    """None where it is no registered model: it is made, a path, or a hub id."""
    wrong: str = ""
    """Why it can be none of these."""


def learned(known: Known, event: Event) -> Known:
    """With one more model, where the event says that there is one."""
    match event:
        case CandidateRegistered(role=role, model=model):
            versions = (*known.versions.get(role, ()), model)[-MOST:]
            return known._replace(
                versions={**known.versions, role: versions},
                counts={**known.counts, role: known.counts.get(role, 0) + 1},
            )
        case ModelAdded(name=name, model=model):
            kept = {key: one for key, one in known.added.items() if key != name}
            return known._replace(added=dict([*kept.items(), (name, model)][-ADDED:]))
        case _:
            return known


def found(known: Known, name: str) -> Found:
    """What this name means."""
    if name == TINY:
        return Found()
    if version := VERSION.fullmatch(name):
        return _version(known, name, version[1], int(version[2]))
    if name.startswith("sha256:"):
        return _hashed(known, name)
    return Found(known.added.get(name))


def named(known: Known, base: str, students: Sequence[str]) -> tuple[tuple[Artifact, ...], str]:
    """The registered models that a request names, each by its part; or what is wrong with one."""
    models = []
    for part, name in ((GIVEN, base), *_numbered(students)):
        one = found(known, name)
        if one.wrong:
            return (), one.wrong
        if one.model is not None:
            models.append(one.model.model_copy(update={"kind": part}))
    return tuple(models), ""


def _numbered(students: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"student.{place}", name) for place, name in enumerate(students, 1)]


def _version(known: Known, name: str, role: str, number: int) -> Found:
    there, count = known.versions.get(role, ()), known.counts.get(role, 0)
    first = count - len(there) + 1
    if first <= number <= count:
        return Found(there[number - first])
    if not count:
        return Found(wrong=f"no model is registered as {name!r}: role {role!r} has none")
    those = f"v{count}" if first == count else f"v{first} to v{count}"
    return Found(wrong=f"no model is registered as {name!r}: role {role!r} has {those}")


def _hashed(known: Known, name: str) -> Found:
    if HASH.fullmatch(name) is None:
        return Found(wrong=f"{name!r} is no hash: sha256: and at least 8 digits, 0 to 9 and a to f")
    every = [one for many in known.versions.values() for one in many]
    fitting = {
        one.sha256: one for one in (*every, *known.added.values()) if one.sha256.startswith(name)
    }
    if len(fitting) > 1:
        return Found(wrong=f"{len(fitting)} registered models begin with {name!r}: more digits")
    if not fitting:
        return Found(wrong=f"no registered model begins with {name!r}")
    return Found(next(iter(fitting.values())))
