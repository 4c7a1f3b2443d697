"""The audit: is the chain intact, and would every decision be taken again as it was?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.agent import Agent
from agents.judge import Judge, Verdict, judged, judges
from events.chain import EMPTY, GENESIS, Head, holds, signed
from events.envelope import Envelope
from events.errors import LogDamaged, LogUnavailable, UnknownHistory
from events.merkle import SEGMENT, Frontier
from events.replay import BrokenChain, Told, history
from events.store import EventStore

MOST = 1000
"""Differences, and drifts, that a report lists; it counts them all."""


@dataclass
class Report:
    """What an audit found."""

    events: int = 0
    broken_at: int | None = None
    broken: str = ""
    decisions: int = 0
    differences: list[Verdict] = field(default_factory=list)
    drift: list[Verdict] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=lambda: {"differences": 0, "drift": 0})
    head: Head = EMPTY

    @property
    def good(self) -> bool:
        return self.broken_at is None and not self.found["differences"]


async def audit(
    store: EventStore,
    agents: Sequence[Agent[Any]],
    *,
    key: str | None = None,
    kept: Head | None = None,
    told: Told | None = None,
) -> Report:
    """Check all that stands in the log now. `kept` is a head that was stored elsewhere."""
    report = Report()
    versions = {agent.name: agent.version for agent in agents}
    bench: list[Judge] = []
    try:
        bench = await judges(store, agents)  # before the head: no checkpoint lies beyond it
        report.head = await store.head()
        await _ends(store, report.head, key)
        tree = _Tree(kept.position if kept else 0)
        async for verdicts in judged(store, bench, report.head.position, told, tree.walked):
            for verdict in verdicts:
                same = verdict.version in ("", versions[verdict.agent])
                name = "differences" if same else "drift"
                listed: list[Verdict] = getattr(report, name)
                report.found[name] += 1
                if len(listed) < MOST:
                    listed.append(verdict)
        report.events = report.head.position
        await _fits(store, report.head)
        await _rooted(store, report.head, tree)
        if kept is not None:
            await _compare(store, report, kept, key, tree)
    except BrokenChain as broken:
        _break(report, broken)
    except (UnknownHistory, LogDamaged, LogUnavailable) as trouble:
        # what cannot be read may have been tampered with: then the chain alone names the place
        try:
            report.head = await store.head()
            async for _ in history(store, report.head.position):
                continue
        except BrokenChain as broken:
            _break(report, broken)
        except LogDamaged as damaged:  # the head is lost too: the events hold as far as they do
            _break(report, BrokenChain(await _whole(store) + 1, damaged.what))
        else:
            if not isinstance(trouble, LogDamaged):
                raise
            _break(report, BrokenChain(report.head.position + 1, trouble.what))
    report.decisions = sum(judge.judged for judge in bench)
    return report


class _Tree:
    """The Merkle tree over what was walked, and its root where a head was kept."""

    def __init__(self, kept_at: int) -> None:
        self.frontier, self._kept_at = Frontier(), kept_at
        self.segments: list[str] = []
        self.kept_root = ""

    def walked(self, batch: list[Envelope]) -> None:
        hashes = [bytes.fromhex(envelope.hash) for envelope in batch]
        there = self._kept_at - self.frontier.size
        if 0 < there <= len(hashes):
            self._grow(hashes[:there])
            self.kept_root = self.frontier.root().hex()
            hashes = hashes[there:]
        self._grow(hashes)

    def _grow(self, hashes: list[bytes]) -> None:
        self.frontier, made = self.frontier.grown(hashes)
        self.segments += [root.hex() for root in made.values()]


def _break(report: Report, broken: BrokenChain) -> None:
    report.broken_at, report.broken = broken.position, broken.why
    report.events = broken.position - 1


async def _ends(store: EventStore, head: Head, key: str | None) -> None:
    """The log ends where its signed head says, and the head is genuine."""
    beyond = await store.verify(head.position, 1)
    if beyond.envelopes:
        later = await store.head()  # it may have grown since
        if later.position <= head.position:
            raise BrokenChain(head.position + 1, "it lies behind the signed head")
    if head == EMPTY:
        return
    if not signed(head, key):
        raise BrokenChain(head.position, "the signature of the head is not genuine")


async def _fits(store: EventStore, head: Head) -> None:
    """The walk held to the end; is that end the one that was signed?"""
    newest = await store.verify(head.position - 1, 1)
    if head.position and newest.envelopes[0].hash != head.hash:
        raise BrokenChain(head.position, "the signed head says otherwise")
    beyond = await store.verify(head.position, 1)
    if beyond.damage:
        raise BrokenChain(head.position + 1, beyond.damage)


async def _rooted(store: EventStore, head: Head, tree: _Tree) -> None:
    """The root that was signed, and those that are kept for proofs, are those of the events."""
    if not head.root:
        return
    if tree.frontier.root().hex() != head.root:
        raise BrokenChain(head.position, "the signed root is not that of the events")
    kept = await store.segments()
    for number, root in enumerate(tree.segments):
        if kept[number : number + 1] != [root]:
            first = number * SEGMENT + 1
            raise BrokenChain(first, f"the kept root of the {SEGMENT} events from here is not true")


async def _whole(store: EventStore) -> int:
    """The last position up to which the chain holds, whatever else is damaged."""
    position, previous = 0, GENESIS
    while True:
        walk = await store.verify(position)
        for envelope in walk.envelopes:
            if envelope.position != position + 1 or not holds(envelope, previous):
                return position
            position, previous = envelope.position, envelope.hash
        if walk.damage or not walk.envelopes:
            return position


async def _compare(
    store: EventStore, report: Report, kept: Head, key: str | None, tree: _Tree
) -> None:
    if kept == EMPTY:  # it was kept before anything happened
        return
    if not signed(kept, key):
        raise BrokenChain(kept.position, "the signature of the kept head is not by this home's key")
    if kept.position > report.head.position:
        raise BrokenChain(report.head.position + 1, f"a kept head says {kept.position}")
    there = await store.read(kept.position - 1, kept.position, 1)
    if not there or there[0].hash != kept.hash or kept.root not in ("", tree.kept_root):
        raise BrokenChain(kept.position, "it is not what the kept head says")
