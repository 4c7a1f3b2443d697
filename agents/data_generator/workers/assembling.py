"""Assembling: the parts are judged by source, the best merged and measured, and written down."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from agents.data_generator.sources.aside import aside
from agents.data_generator.workers.reporting import report, report_of_pairs
from agents.worker import Tell
from events.artifacts import Artifacts
from events.catalog.parts import AssemblyRequested, DatasetAssembled
from events.catalog.training import Artifact
from events.fact import Fact
from events.message import Outcome
from pipelines.data.contamination import Guarded, Nearest
from pipelines.data.guards import evaluation_texts
from pipelines.data.merging import Merged, Sourced, merged
from pipelines.data.pooling import pooled, worth
from pipelines.data.quality import guarding
from pipelines.data.rows import Provenance, Row, read, read_sidecar, sidecar, written
from trainers.model_types import model_type
from trainers.model_types.kind import ModelType

NearestOf = Callable[[Sequence[str]], Nearest]
"""Of evaluation items, who finds the nearest of them by meaning."""


class Assembler:
    """Grants `AssemblyRequested`."""

    def __init__(
        self, artifacts: Artifacts, folder: Path, nearest_of: NearestOf | None = None
    ) -> None:
        """With `nearest_of`, evaluation items are looked for by meaning as well."""
        self._artifacts, self._folder = artifacts, folder
        self._nearest_of = nearest_of

    async def grant(self, told: Fact, tell: Tell) -> Outcome:
        asked = cast(AssemblyRequested, told.event)
        tell({"dataset": asked.dataset, "parts": len(asked.parts)})
        return await aside(self._assembled, asked)

    def _assembled(self, asked: AssemblyRequested) -> DatasetAssembled:
        began = time.monotonic()
        kind = model_type(asked.model_type)
        items = evaluation_texts(self._artifacts.read, asked.guarded)
        guarded = guarding(items, kind)
        nearest = self._nearest_of(items) if self._nearest_of is not None and items else None
        parts = [self._part(asked, place) for place in range(len(asked.parts))]
        make = self._pairs if asked.kind == "pairs" else self._trajectories
        made = make(asked, kind, parts, guarded, nearest)
        seconds = round(time.monotonic() - began, 3)
        answer = DatasetAssembled(
            dataset=asked.dataset, attempt=asked.attempt, seconds=seconds, **made
        )
        shutil.rmtree(self._folder / asked.dataset, ignore_errors=True)  # every part is kept
        return answer

    def _trajectories(
        self,
        asked: AssemblyRequested,
        kind: ModelType,
        parts: Sequence[Sourced],
        guarded: Guarded,
        nearest: Nearest | None,
    ) -> dict[str, Any]:
        target = asked.quality_target
        found = merged(parts, kind, guarded, asked.quantity, target=target, nearest=nearest)
        return {
            **self._files(found.rows, found.provenance, report(asked, found)),
            "quality": found.quality.figures(),
            "by_source": by_source(found),
            "used": found.used,
            "removed": found.removed,
        }

    def _pairs(
        self,
        asked: AssemblyRequested,
        _kind: ModelType,
        parts: Sequence[Sourced],
        guarded: Guarded,
        nearest: Nearest | None,
    ) -> dict[str, Any]:
        found = pooled(
            parts, guarded, asked.quantity, gap=asked.least_gap, clean=asked.least_clean,
            ask=asked.ask, nearest=nearest,
        )  # fmt: skip
        rows = [one.kept() for one in found.kept]
        origins = [one.provenance for one in found.kept]
        figures = {gate.name: gate.value for gate in found.found.gates}
        figures["overall"] = found.overall()
        waiting = self._put("review", written(found.waiting)) if found.waiting else None
        return {
            **self._files(rows, origins, report_of_pairs(asked, found)),
            "quality": figures,
            "by_source": {
                name: worth(one).value
                for name, one in sorted(found.by_source.items())
                if one.offered
            },
            "used": found.used,
            "removed": found.removed,
            "waiting": waiting,
            "waits": len(found.waiting),
        }

    def _files(
        self, rows: Sequence[Row], provenance: Sequence[Provenance], told: str
    ) -> dict[str, Any]:
        return {
            "rows": self._put("rows", written(rows)),
            "provenance": self._put("provenance", sidecar(provenance)),
            "report": self._put("report", told.encode("utf-8", "replace")),
            "count": len(rows),
        }

    def _part(self, asked: AssemblyRequested, place: int) -> Sourced:
        part = asked.parts[place]
        rows = read(self._artifacts.read(part.rows.sha256))
        provenance = read_sidecar(self._artifacts.read(part.provenance.sha256), len(rows))
        return Sourced(part.source, rows, provenance)

    def _put(self, kind: str, content: bytes) -> Artifact:
        ref = self._artifacts.put(content)
        return Artifact(kind=kind, sha256=ref.sha256, size=ref.size)


def by_source(found: Merged) -> dict[str, float]:
    """How good what each source has built was, as a whole."""
    return {name: one.overall.value for name, one in sorted(found.by_source.items())}
