"""The Merkle tree over the log: by it one event is shown to stand under a signed head.

Its leaves are the hashes of the events, in order; a node is SHA-256 over the byte 1 and its two
children; the shape is that of RFC 6962. A leaf is hashed no second time: what it is a hash of
begins with "ratchet event", so no node is ever taken for a leaf.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from events.errors import LogDamaged

SEGMENT = 1024
"""Leaves whose common root is kept, so that no proof reads the whole log."""
EMPTY_ROOT = sha256().digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Frontier(NamedTuple):
    """All that a tree needs to know of itself in order to grow."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()
    """Roots of the largest whole subtrees, from the left: one for each bit set in `size`."""

    def root(self) -> bytes:
        if not self.peaks:
            return EMPTY_ROOT
        *before, root = self.peaks
        for peak in reversed(before):
            root = node(peak, root)
        return root

    def grown(self, leaves: Iterable[bytes]) -> Growth:
        """The tree with these leaves added, and the roots of the segments that this completed."""
        level, width = list(leaves), 1
        size, peaks, made = self.size + len(level), list(self.peaks), list[bytes]()
        segments = dict[int, bytes]()
        while level:  # the roots of subtrees of this width that are new
            if width == SEGMENT:
                segments = dict(enumerate(level, self.size // SEGMENT))
            if self.size & width:
                level.insert(0, peaks.pop())
            if len(level) % 2:
                made.append(level.pop())
            pairs = iter(level)
            level = [sha256(b"\x01" + one + next(pairs)).digest() for one in pairs]
            width *= 2
        return Growth(Frontier(size, (*peaks, *reversed(made))), segments)


class Growth(NamedTuple):
    """What became of a tree."""

    frontier: Frontier
    segments: dict[int, bytes]
    """By number, from 0."""


def leaves(hashes: Iterable[str]) -> list[bytes]:
    """Hashes of events, as they are written in the log."""
    try:
        return list(map(bytes.fromhex, hashes))
    except (TypeError, ValueError):
        raise LogDamaged(
            "a hash in the log is none",
            where="hash",
            right="run `ratchet audit`; bring the log back from a backup",
        ) from None


def standing(segments: Sequence[bytes], tail: Iterable[bytes]) -> Frontier:
    """The frontier of a tree of whole segments and of the leaves behind them."""
    upper = Frontier().grown(segments).frontier
    return Frontier(upper.size * SEGMENT, upper.peaks).grown(tail).frontier


def path(index: int, nodes: Sequence[bytes]) -> list[bytes]:
    """What stands beside the way from one node (counted from 0) up to the root, from below."""
    beside, level = [], list(nodes)
    while len(level) > 1:
        if index ^ 1 < len(level):
            beside.append(level[index ^ 1])
        pairs = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
        index //= 2
    return beside


def climbed(leaf: bytes, index: int, size: int, beside: Sequence[bytes]) -> bytes | None:
    """The root to which a path leads, or None where it is no path of a tree of this size."""
    if not 0 <= index < size:
        return None
    root, last = leaf, size - 1
    for sibling in beside:
        if last == 0:
            return None
        if index & 1 or index == last:
            root = node(sibling, root)
            while not index & 1:  # the last of its level rose without a sibling
                index, last = index >> 1, last >> 1
        else:
            root = node(root, sibling)
        index, last = index >> 1, last >> 1
    return root if last == 0 else None
