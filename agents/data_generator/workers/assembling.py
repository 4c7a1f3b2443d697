"""Assembling: the parts are judged by source, the best merged and measured, and written down."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import cast

from agents.data_generator.sources.aside import aside
from agents.data_generator.workers.reporting import report
from agents.worker import Tell
from events.artifacts import Artifacts
from events.catalog.data import AssemblyRequested, DatasetAssembled
from events.catalog.training import Artifact
from events.fact import Fact
from events.message import Outcome
from pipelines.data.contamination import guarded_texts
from pipelines.data.merging import Merged, Sourced, merged
from pipelines.data.quality import guarding
from pipelines.data.rows import read, read_sidecar, sidecar, written
from trainers.model_types import model_type


class Assembler:
    """Grants `AssemblyRequested`."""

    def __init__(self, artifacts: Artifacts, folder: Path) -> None:
        self._artifacts, self._folder = artifacts, folder

    async def grant(self, told: Fact, tell: Tell) -> Outcome:
        asked = cast(AssemblyRequested, told.event)
        tell({"dataset": asked.dataset, "parts": len(asked.parts)})
        return await aside(self._assembled, asked)

    def _assembled(self, asked: AssemblyRequested) -> DatasetAssembled:
        began = time.monotonic()
        kind = model_type(asked.model_type)
        guarded = guarding(self._evaluation_texts(asked), kind)
        parts = [self._part(asked, place) for place in range(len(asked.parts))]
        found = merged(parts, kind, guarded, asked.quantity, target=asked.quality_target)
        answer = DatasetAssembled(
            dataset=asked.dataset,
            attempt=asked.attempt,
            rows=self._put("rows", written(found.rows)),
            provenance=self._put("provenance", sidecar(found.provenance)),
            report=self._put("report", report(asked, found).encode()),
            count=len(found.rows),
            quality=found.quality.figures(),
            by_source=by_source(found),
            used=found.used,
            removed=found.removed,
            seconds=round(time.monotonic() - began, 3),
        )
        shutil.rmtree(self._folder / asked.dataset, ignore_errors=True)  # every part is kept
        return answer

    def _part(self, asked: AssemblyRequested, place: int) -> Sourced:
        part = asked.parts[place]
        rows = read(self._artifacts.read(part.rows.sha256))
        provenance = read_sidecar(self._artifacts.read(part.provenance.sha256), len(rows))
        return Sourced(part.source, rows, provenance)

    def _evaluation_texts(self, asked: AssemblyRequested) -> list[str]:
        sets = [read(self._artifacts.read(one.sha256)) for one in asked.guarded]
        return [text for rows in sets for text in guarded_texts(rows)]

    def _put(self, kind: str, content: bytes) -> Artifact:
        ref = self._artifacts.put(content)
        return Artifact(kind=kind, sha256=ref.sha256, size=ref.size)


def by_source(found: Merged) -> dict[str, float]:
    """How good what each source has built was, as a whole."""
    return {name: one.overall.value for name, one in sorted(found.by_source.items())}
