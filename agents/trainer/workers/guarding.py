"""What nothing in a run may learn from: what its own proof will ask, and every registered set.

Both are known before anything is trained: the proof's problems follow from the run's seed, and the
evaluation sets that people have registered come with the request of the stage.
"""

from __future__ import annotations

from typing import Any

from agents.trainer.workers.work import Work
from pipelines.catalog import PIPELINES
from pipelines.data.contamination import Guarded
from pipelines.data.guards import evaluation_texts
from pipelines.data.quality import guarding, leaks_of

FINAL = 300
"""Problems of the last comparison."""


def guarded(work: Work) -> Guarded:
    """All of it, as it is looked for in texts of the run's type."""
    proof = PIPELINES[work.request.pipeline].stages[-1]
    later = [one.prompt for one in work.asked_later(proof, FINAL)]
    registered = evaluation_texts(work.artifacts.read, work.request.guarded)
    return guarding([*later, *registered], work.kind)


def without_leaks(work: Work, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that have none of it in them."""
    leaks = leaks_of(rows, guarded(work)) if rows else {}
    return [row for number, row in enumerate(rows) if number not in leaks]
