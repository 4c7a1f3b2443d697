"""Which embedder made a vector: recorded with its name, and proven by three texts of always.

A name alone does not tell: behind an endpoint another model may answer tomorrow. So each identity
keeps the vectors of the probes, and an embedder that makes others of them is not the same one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from pathlib import Path

from events.errors import RatchetError
from memory.embedding import Embedder, Vector, cosine

PROBES = (
    "The invoice of March was paid twice; the second payment goes back to the customer.",
    "def area(width: float, height: float) -> float: return width * height",
    "Bei Regen findet das Treffen am Donnerstag in der Halle statt.",
)
ALIKE = 0.999
"""Less than this between two vectors of one probe, and they come from two models."""
SHORT = 12


class EmbedderChanged(RatchetError):
    """The embedder of this name is not the one that made the vectors."""


@dataclass(frozen=True)
class Identity:
    """One embedder, as it proved to be."""

    embedder: str
    dim: int
    turn: int
    """How often another one was found under this name and accepted."""
    probes: tuple[tuple[float, ...], ...]

    @property
    def fingerprint(self) -> str:
        told = json.dumps([self.embedder, self.dim, self.turn])
        return sha256(told.encode()).hexdigest()[:SHORT]


async def identified(embedder: Embedder, folder: Path, accept: bool = False) -> Identity:
    """Who this embedder is; a changed one is told apart if `accept`, and else refused."""
    vectors = await embedder.embed(PROBES, "passage")
    known = [one for one in _kept(folder) if one.embedder == embedder.id]
    last = max(known, key=lambda one: one.turn, default=None)
    if last is not None:
        least = _least(last, vectors)
        if least >= ALIKE:
            return last
        if not accept:
            raise EmbedderChanged(
                f"the embedder {embedder.id!r} is not the one that made the vectors"
                f" (likeness {least:.3f} of {ALIKE:g})",
                where="knowledge",
                right="bring the former one back, or `ratchet knowledge rebuild` to embed all anew",
            )
    turn = 0 if last is None else last.turn + 1
    made = Identity(embedder.id, len(vectors[0]), turn, tuple(tuple(one) for one in vectors))
    _keep(folder, made)
    return made


def _least(known: Identity, vectors: Sequence[Vector]) -> float:
    if len(vectors[0]) != known.dim:
        return 0.0
    return min(cosine(one, other) for one, other in zip(known.probes, vectors, strict=True))


def _kept(folder: Path) -> list[Identity]:
    found = []
    for file in sorted(folder.glob("*.json")):
        try:
            told = json.loads(file.read_text())
            probes = tuple(tuple(map(float, one)) for one in told["probes"])
            one = Identity(str(told["embedder"]), int(told["dim"]), int(told["turn"]), probes)
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue  # a cache: what cannot be read was never there
        sound = all(len(probe) == one.dim and all(map(isfinite, probe)) for probe in probes)
        if len(probes) == len(PROBES) and sound:
            found.append(one)
    return found


def _keep(folder: Path, one: Identity) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = folder / f"{one.fingerprint}.beside"
    told = {"embedder": one.embedder, "dim": one.dim, "turn": one.turn, "probes": one.probes}
    beside.write_text(json.dumps(told))
    os.replace(beside, folder / f"{one.fingerprint}.json")
