"""The reports of the two kinds of data: trajectories that were merged, and preference pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from events.catalog.training import Measured
from pipelines.data.figures import mean
from pipelines.data.merging import Merged
from pipelines.data.pairs import CONFIDENT, Paired
from pipelines.data.plots import Bar, Plot, histogram
from pipelines.data.pooling import scorers
from pipelines.data.preferences import Preference
from pipelines.data.quality import TARGET, Quality
from pipelines.data.report import Checked, Report, Table
from pipelines.data.rows import Provenance, evenly
from pipelines.data.words import words

LISTED = 100
"""Rows of a list; what is beyond is only counted."""
SHOWN = 20
"""Pairs that are shown of those that are kept."""


def of_trajectories(title: str, made: Merged, target: float = TARGET) -> Report:
    """What the set is, and what was taken out of it."""
    quality = made.quality
    checks = [
        Checked(name, _figure(one), f"at least {target:g}", one.value >= target)
        for name, one in quality.figures().items()
    ]
    sources = [
        (name, *(one.parts[part].value for part in one.parts), one.overall.value,
         "yes" if name in made.used else "no")
        for name, one in made.by_source.items()
    ]  # fmt: skip
    headings = ("source", *quality.parts, "overall", "used")
    lengths = [len(words(str(row.get("prompt", "")))) for row in made.rows]
    steps = [len(row.get("steps") or ()) for row in made.rows]
    return Report(
        title,
        (
            f"{len(made.rows):,} rows of {len(made.used)} sources.",
            "Contamination is measured before leaked rows were taken out, all else on what is left."
            if made.used
            else "No source is good enough: these are the figures of the best one.",
        ),
        tuple(checks),
        (_counted("words of a prompt", lengths), _counted("steps of a row", steps)),
        (
            Table("Sources", headings, sources),
            Table("Taken out", ("reason", "rows"), list(made.removed.items())),
            _origins(made.provenance),
            *(_speaking(name, one) for name, one in made.by_source.items()),
        ),
    )


def of_pairs(title: str, made: Paired) -> Report:
    """What the pairs are, and what was set aside."""
    checks = [
        Checked(gate.name, _figure(gate.value), f"at least {gate.bound:g}", gate.passed)
        for gate in made.gates
    ]
    gaps = [one.gap for one in made.kept]
    longer = [len(words(one.chosen)) - len(words(one.rejected)) for one in made.kept]
    farthest = max(map(abs, longer), default=0) or 1
    confidence = histogram("confidence of a pair", _sure(made), 0, 1)
    return Report(
        title,
        (
            f"{len(made.kept):,} pairs are kept of {made.offered:,} that were offered.",
            "Gap and contamination are measured on all that were offered.",
        ),
        tuple(checks),
        (
            histogram("gap of a kept pair", gaps, 0, 1),
            confidence._replace(mark=CONFIDENT, bound=f"set aside below {CONFIDENT:g}"),
            histogram("words by which the chosen one is longer", longer, -farthest, farthest),
            Plot("set aside", tuple(Bar(name, many) for name, many in made.removed().items())),
        ),
        (
            _statistics(made, longer),
            _scorers(made.kept),
            _shown(made.kept),
            Table("Set aside", ("reason", "pairs"), list(made.removed().items())),
            _origins([one.provenance for one in made.kept]),
            *(_aside(reason, pairs) for reason, pairs in made.aside.items() if pairs),
        ),
    )


def _counted(title: str, counts: Sequence[int]) -> Plot:
    most = max(counts, default=0) + 1
    return histogram(title, counts, 0, most, min(20, most))


def _statistics(made: Paired, longer: Sequence[int]) -> Table:
    n = max(len(longer), 1)
    return Table(
        "Statistics",
        ("of the kept pairs", "value"),
        [
            ("pairs", len(made.kept)),
            ("prompts", len({one.prompt for one in made.kept})),
            ("mean gap", mean([one.gap for one in made.kept]).value),
            ("mean confidence", mean([one.confidence for one in made.kept]).value),
            ("share in which the chosen one is longer", sum(one > 0 for one in longer) / n),
        ],
    )


def _scorers(pairs: Sequence[Preference]) -> Table:
    return Table("Scored by", ("who", "pairs"), list(scorers(pairs).items()))


def _shown(pairs: Sequence[Preference]) -> Table:
    """Some of them, from the first to the last."""
    some = evenly(pairs, SHOWN)
    rows = [(one.prompt, one.chosen, one.rejected, one.gap) for one in some]
    note = f"{len(some)} of {len(pairs):,}." if len(some) < len(pairs) else ""
    return Table("Pairs", ("prompt", "chosen", "rejected", "gap"), rows, note)


def _sure(made: Paired) -> list[float]:
    return [one.confidence for one in (*made.kept, *made.aside.get("unsure", ()))]


def _aside(reason: str, pairs: Sequence[Preference]) -> Table:
    rows = [(one.prompt, one.chosen, one.rejected, one.gap, one.confidence) for one in pairs]
    headings = ("prompt", "chosen", "rejected", "gap", "confidence")
    return Table(f"Set aside: {reason}", headings, rows[:LISTED], _first(len(rows)))


def _speaking(name: str, quality: Quality) -> Table:
    """The rows of a source that speak against it."""
    found = [(number, "invalid", wrong) for number, wrong in quality.invalid.items()]
    found += [
        (number, "leaked", f"{hit.how}, item {hit.item}, {hit.share:.2f}")
        for number, hit in quality.leaks.items()
    ]
    found += [
        (number, "repeated", f"row {near.of}, {'exactly' if near.exact else 'nearly'}")
        for number, near in quality.repeats.items()
    ]
    return Table(
        f"Rows against {name}", ("row", "what", "why"), sorted(found)[:LISTED], _first(len(found))
    )


def _origins(provenance: Iterable[Provenance]) -> Table:
    counted = Counter((one.source, one.method, one.licence) for one in provenance)
    rows = [(*origin, many) for origin, many in sorted(counted.items())]
    return Table("Origin", ("source", "method", "licence", "rows"), rows)


def _first(many: int) -> str:
    return f"The first {LISTED} of {many:,}." if many > LISTED else ""


def _figure(one: Measured) -> str:
    if one.low == one.high:
        return f"{one.value:g}"
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f}, n = {one.n:,})"
