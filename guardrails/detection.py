"""Finding texts by their format, in time linear in the length of what is searched.

Patterns run in google-re2, which never goes back, and a validator looks at each candidate. What was
found is told by its kind, its place and, where a pepper is given, a keyed hash: never by its value.
A set of all patterns at once would be faster still, but overflows its memory on Unicode classes,
and then says that nothing is there.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import re2

AROUND = 40
"""Bytes before a candidate in which words that speak for or against it are looked for."""

_HALVES = re.compile("[\ud800-\udfff]")

Check = Callable[[str], int]
"""How many leading characters of a candidate are the thing; 0 where it is not."""


class Pattern(NamedTuple):
    """What one kind of text looks like. Of two that overlap the one named first counts."""

    kind: str
    regex: str
    """Where it has a group, the group is the candidate, and the rest stands around it."""
    check: Check | None = None
    near: str = ""
    """Words one of which has to stand before it, as a regular expression."""
    unless: str = ""
    """Words none of which may stand before it."""
    again: bool = False
    """Whether a candidate that is not the thing may hold the beginning of one that is."""


class Finding(NamedTuple):
    """One place in a text, in characters."""

    kind: str
    start: int
    end: int
    digest: str = ""
    """A keyed hash of what stands there; empty without a pepper."""


class Redacted(NamedTuple):
    """A text with masks, and what stood under them; the places are those of the original."""

    text: str
    findings: list[Finding]


class _Hit(NamedTuple):
    rank: int
    start: int
    end: int


class Detector:
    """Knows some patterns; compiles them when the first text comes."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = patterns

    def findings(self, text: str, pepper: bytes = b"") -> list[Finding]:
        """What is found, from left to right, without overlaps."""
        data = _HALVES.sub("\ufffd", text).encode()
        hits = sorted(self._hits(data))
        taken, kept = bytearray(len(data)), []
        for hit in hits:
            if not any(taken[hit.start : hit.end]):
                taken[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
                kept.append(hit)
        return list(self._told(data, sorted(kept, key=lambda hit: hit.start), pepper))

    def redacted(self, text: str, pepper: bytes = b"") -> Redacted:
        """The text with a mask such as [EMAIL] in the place of each finding."""
        found = self.findings(text, pepper)
        parts, at = [], 0
        for one in found:
            parts += [text[at : one.start], f"[{one.kind}]"]
            at = one.end
        return Redacted("".join([*parts, text[at:]]), found)

    @cached_property
    def _each(self) -> list[Any]:
        return [re2.compile(pattern.regex) for pattern in self._patterns]

    def _hits(self, data: bytes) -> Iterator[_Hit]:
        for rank, (pattern, compiled) in enumerate(zip(self._patterns, self._each, strict=True)):
            at = 0
            while at <= len(data) and (match := compiled.search(data, at)) is not None:
                start, end = match.span(1 if compiled.groups else 0)
                length = _length(pattern, data, start, end)
                if length:
                    yield _Hit(rank, start, start + length)
                behind = start if pattern.again else end
                at = max(at + 1, start + length if length else behind)

    def _told(self, data: bytes, hits: list[_Hit], pepper: bytes) -> Iterator[Finding]:
        at = characters = 0
        for hit in hits:
            start = characters + len(data[at : hit.start].decode())
            value = data[hit.start : hit.end]
            at, characters = hit.end, start + len(value.decode())
            digest = hmac.digest(pepper, value, hashlib.sha256).hex()[:32] if pepper else ""
            yield Finding(self._patterns[hit.rank].kind, start, characters, digest)


def whole(valid: Callable[[str], bool]) -> Check:
    """The whole candidate, where it is valid."""
    return lambda candidate: len(candidate) if valid(candidate) else 0


def longest(valid: Callable[[str], bool]) -> Check:
    """The longest valid beginning that ends where a part of the candidate ends."""

    def check(candidate: str) -> int:
        ends = [one.end() for one in re.finditer(r"\w+", candidate)]
        return next((end for end in reversed(ends[-8:]) if valid(candidate[:end])), 0)

    return check


def _length(pattern: Pattern, data: bytes, start: int, end: int) -> int:
    """Bytes of the candidate that count."""
    before = data[max(0, start - AROUND) : start].decode(errors="ignore").lower()
    if pattern.near and not re.search(pattern.near, before):
        return 0
    if pattern.unless and re.search(pattern.unless, before):
        return 0
    candidate = data[start:end].decode()
    counted = len(candidate) if pattern.check is None else pattern.check(candidate)
    return len(candidate[:counted].encode())
