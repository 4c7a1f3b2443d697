"""The pairs of several sources become one set: the best three are pooled, what contradicts itself
is set aside wherever it came from, and what nobody is sure of is left to people.

Rows of a part are pairs with their `gap`, and how sure whoever scored them is; or two answers `a`
and `b` that nobody has scored. A source whose own pairs miss the gap or the clean share is left
out. Where that is all of them, the best is measured all the same, so that it can be seen what is
wrong with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from events.catalog.training import Measured
from pipelines.data.contamination import Guarded, Nearest
from pipelines.data.figures import share, weakest
from pipelines.data.merging import BEST, Sourced, together
from pipelines.data.pairs import CLEAN, GAP, Gate, Paired, paired
from pipelines.data.preferences import Preference
from pipelines.data.quality import leaks_of
from pipelines.data.reviewing import queued
from pipelines.data.rows import Provenance, Row

ENOUGH = ("gap", "decontamination")
"""What a source has to pass by itself; how many there are is asked of the whole."""


@dataclass(frozen=True)
class Pooled:
    """The set, and what became of all that was offered."""

    found: Paired
    kept: list[Preference]
    """No more than were wanted."""
    by_source: dict[str, Paired]
    used: tuple[str, ...]
    """The sources that are in it, the best first; none of them where none is good enough."""
    removed: dict[str, int]
    """Pairs of those sources that are not in it, by reason."""
    waiting: list[Row]
    """What a person could settle, as items of a queue."""

    def overall(self) -> Measured:
        """The weaker of the clean share and of the share that can be learned from."""
        clean = next(gate.value for gate in self.found.gates if gate.name == "decontamination")
        return weakest((clean, worth(self.found)))


def pooled(
    parts: Sequence[Sourced],
    guarded: Guarded,
    quantity: int,
    *,
    gap: float = GAP,
    clean: float = CLEAN,
    ask: int = 0,
    nearest: Nearest | None = None,
) -> Pooled:
    """The set of so many pairs at most, and so many items at most that people are asked."""

    def settled(offered: Sequence[Preference]) -> Paired:
        return paired(offered, guarded, nearest, gap=gap, count=quantity, clean=clean)

    offered = {name: scored(one) for name, one in together(parts).items()}
    by_source = {name: settled(pairs) for name, pairs in offered.items()}
    good = [name for name, one in by_source.items() if _good(one)]
    ranked = sorted(good or by_source, key=lambda name: -worth(by_source[name]).value)
    ranked = ranked[: BEST if good else 1]
    found = by_source[ranked[0]] if len(ranked) == 1 else settled(_mixed(offered, ranked))
    kept = found.kept[:quantity]
    removed = found.removed() | {"surplus": len(found.kept) - len(kept)}
    return Pooled(
        found,
        kept,
        by_source,
        tuple(ranked) if good else (),
        {reason: many for reason, many in sorted(removed.items()) if many},
        _waiting(found, parts, guarded, nearest)[:ask] if ask else [],
    )


def scored(part: Sourced) -> list[Preference]:
    """The pairs of a part that somebody has scored."""
    return [
        preference(row, origin)
        for row, origin in zip(part.rows, part.provenance, strict=True)
        if "gap" in row
    ]


def preference(row: Mapping[str, object], origin: Provenance) -> Preference:
    """A row of a part as a pair."""
    gap = float(str(row["gap"]))
    sure = float(str(row.get("confidence", gap)))
    prompt, chosen, rejected = (str(row[name]) for name in ("prompt", "chosen", "rejected"))
    return Preference(prompt, chosen, rejected, gap, sure, origin)


def worth(found: Paired) -> Measured:
    """What share of the pairs that were offered can be learned from."""
    return share(len(found.kept), found.offered)


def _good(found: Paired) -> bool:
    gates: Iterable[Gate] = found.gates
    return bool(found.kept) and all(gate.passed for gate in gates if gate.name in ENOUGH)


def _mixed(offered: Mapping[str, Sequence[Preference]], names: Sequence[str]) -> list[Preference]:
    """One of each in turn, so that a set that is cut has all of them in it."""
    turns = zip_longest(*(offered[name] for name in names))
    return [one for turn in turns for one in turn if one is not None]


def _waiting(
    found: Paired, parts: Sequence[Sourced], guarded: Guarded, nearest: Nearest | None
) -> list[Row]:
    """Each pair once, and none that is settled or holds what evaluations ask."""
    bare = [row for part in parts for row in part.rows if "gap" not in row]
    as_pairs = [{"prompt": one["prompt"], "chosen": one["a"], "rejected": one["b"]} for one in bare]
    leaks = leaks_of(as_pairs, guarded, nearest)
    clean = [one for number, one in enumerate(as_pairs) if number not in leaks]
    known = {_key(one.row()) for one in found.kept}
    asked = []
    for row in (*clean, *(one.row() for one in found.waiting())):
        if _key(row) not in known:
            known.add(_key(row))
            asked.append(row)
    return queued(asked)


def _key(row: Row) -> tuple[str, ...]:
    return (row["prompt"], *sorted((row["chosen"], row["rejected"])))


def scorers(pairs: Iterable[Preference]) -> dict[str, int]:
    """How many pairs each scorer has judged."""
    counted = Counter(one.provenance.scorer or "nobody who is named" for one in pairs)
    return dict(sorted(counted.items()))
