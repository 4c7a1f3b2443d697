"""Several sources become one set: the best three are merged, cleaned, and measured again.

Each source is judged as it came. Leaked rows are always taken out, whatever the share of them; the
`contamination` of the whole says how many there were before that, all else how good it is now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from pipelines.data.contamination import Guarded, Nearest
from pipelines.data.figures import share
from pipelines.data.quality import TARGET, Quality, evaluated, repeated_rows
from pipelines.data.rows import Provenance, Row
from trainers.model_types.kind import ModelType

Line = tuple[Row, Provenance]

BEST = 3
"""Sources that are merged."""


@dataclass(frozen=True)
class Sourced:
    """What one source has built."""

    source: str
    rows: Sequence[Row]
    provenance: Sequence[Provenance]


@dataclass(frozen=True)
class Merged:
    """The set, and what became of all that was offered."""

    rows: list[Row]
    provenance: list[Provenance]
    quality: Quality
    by_source: dict[str, Quality]
    used: tuple[str, ...]
    """The sources that are in it, the best first; none of them where none is good enough."""
    removed: dict[str, int]
    """Rows that were taken out of what is used, by reason."""


def merged(
    parts: Iterable[Sourced],
    kind: ModelType | None,
    guarded: Guarded,
    quantity: int,
    *,
    target: float = TARGET,
    nearest: Nearest | None = None,
) -> Merged:
    """The set of so many rows at most. Where no source is good enough, the best one is measured all
    the same, so that it can be seen what is wrong with it; `used` is empty then.
    """
    offered = together(parts)
    by_source = {name: evaluated(one.rows, kind, guarded, nearest) for name, one in offered.items()}
    ranked = sorted(by_source, key=lambda name: (-by_source[name].overall.value, name))
    used = [name for name in ranked if by_source[name].overall.value >= target][:BEST]
    chosen = used or ranked[:1]
    removed: Counter[str] = Counter()
    clean: list[list[Line]] = []
    for name in chosen:
        reasons = [_refused(number, by_source[name]) for number in range(len(offered[name].rows))]
        removed.update(reason for reason in reasons if reason)
        lines = zip(offered[name].rows, offered[name].provenance, reasons, strict=True)
        clean.append([(row, origin) for row, origin, reason in lines if not reason])
    mixed = [line for lines in zip_longest(*clean) for line in lines if line is not None]
    again = repeated_rows([row for row, _ in mixed], kind)  # what two sources have both
    removed["repeated"] += len(again)
    mixed = [line for number, line in enumerate(mixed) if number not in again]
    removed["surplus"] += max(0, len(mixed) - quantity)
    rows = [row for row, _ in mixed[:quantity]]
    quality = evaluated(rows, kind)
    leaked = sum(len(by_source[name].leaks) for name in chosen)
    asked = sum(len(offered[name].rows) for name in chosen)
    measured = {**quality.parts, "contamination": share(asked - leaked, asked)}
    return Merged(
        rows,
        [origin for _, origin in mixed[:quantity]],
        replace(quality, parts=measured),
        by_source,
        tuple(used),
        {reason: many for reason, many in sorted(removed.items()) if many},
    )


def together(parts: Iterable[Sourced]) -> dict[str, Sourced]:
    """All parts of a source together, in the order in which they come."""
    found: dict[str, Sourced] = {}
    for part in parts:
        before = found.get(part.source)
        if before is not None:
            rows = [*before.rows, *part.rows]
            part = Sourced(part.source, rows, [*before.provenance, *part.provenance])
        found[part.source] = part
    return found


def _refused(number: int, quality: Quality) -> str:
    if number in quality.leaks:
        return "leaked"
    if number in quality.invalid:
        return "invalid"
    return "repeated" if number in quality.repeats else ""
