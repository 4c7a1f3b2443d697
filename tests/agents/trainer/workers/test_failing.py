"""By what name a stage that broke is told."""

from __future__ import annotations

import errno
import json

import pytest

from agents.trainer.workers.failing import Broke, failed
from events.catalog.training import StageFailed, StageRequested
from events.errors import Malformed
from tests.agents.trainer.story import fact_of


@pytest.mark.parametrize(
    ("error", "kind", "again"),
    [
        (Broke("the loss is no number", "unstable", again=False), "unstable", False),
        (OSError(errno.ENOSPC, "No space left on device"), "no_room", True),
        (MemoryError(), "no_memory", True),
        (Malformed("an artifact is damaged"), "defect", True),
        (KeyError("rows"), "defect", True),
    ],
)
def test_a_stage_that_broke_says_its_kind(error: Exception, kind: str, again: bool) -> None:
    request = StageRequested.model_validate_json(json.dumps(StageRequested.example))
    outcome = failed(fact_of(request, "e1", "e0"), error)
    assert isinstance(outcome, StageFailed)
    assert (outcome.kind, outcome.retryable) == (kind, again)
    assert outcome.reason
