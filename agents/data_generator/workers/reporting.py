"""The report of a data set that was made: what it is, and what the making of it has cost."""

from __future__ import annotations

from collections import Counter

from events.catalog.parts import AssemblyRequested
from pipelines.data.merging import Merged
from pipelines.data.pooling import Pooled
from pipelines.data.report import Table, page
from pipelines.data.telling import of_pairs, of_trajectories


def report(asked: AssemblyRequested, found: Merged) -> str:
    """As a page of its own. It holds no times."""
    told = of_trajectories(
        f"Data for the role {asked.role}: {asked.model_type}, seed {asked.seed}",
        found,
        asked.quality_target,
    )
    return page(told._replace(tables=(*told.tables, _making(asked), _refused(asked))))


def report_of_pairs(asked: AssemblyRequested, found: Pooled) -> str:
    """The same of pairs, with what each source has offered, and what waits for people."""
    told = of_pairs(
        f"Pairs for the role {asked.role}: {asked.model_type}, seed {asked.seed}", found.found
    )
    sources = [
        (name, one.offered, len(one.kept), *(gate.value.value for gate in one.gates[::2]),
         "yes" if name in found.used else "no")
        for name, one in found.by_source.items()
    ]  # fmt: skip
    headings = ("source", "offered", "can be learned from", "gap", "decontamination", "used")
    lines = (
        f"{len(found.kept):,} pairs are in the set.",
        *told.lines,
        f"{len(found.waiting):,} pairs can be settled by people.",
    )
    tables = (Table("Sources", headings, sources), *told.tables, _making(asked), _refused(asked))
    return page(told._replace(lines=lines, tables=tables))


def _making(asked: AssemblyRequested) -> Table:
    rows = []
    for name in dict.fromkeys(part.source for part in asked.parts):
        parts = [part for part in asked.parts if part.source == name]
        rows.append(
            (
                name,
                ", ".join(dict.fromkeys(part.method for part in parts)),
                len(parts),
                sum(part.accepted for part in parts),
                sum(part.spent.calls for part in parts),
                sum(part.spent.tokens for part in parts),
                round(sum(part.spent.money for part in parts), 4),
            )
        )
    headings = ("source", "method", "parts", "rows", "calls", "tokens", "US dollars")
    return Table("The making", headings, rows)


def _refused(asked: AssemblyRequested) -> Table:
    refused = Counter[str]()
    for part in asked.parts:
        refused.update(part.rejected)
    return Table("Refused while building", ("reason", "examples"), sorted(refused.items()))
