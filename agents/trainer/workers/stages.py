"""The worker of stages: which function carries out which, and what is said where one breaks."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

from agents.trainer.workers import distill, dpo, preferring, srf, srl_rlvr
from agents.trainer.workers.evaluating import evaluate
from agents.trainer.workers.failing import failed
from agents.trainer.workers.jobs import Jobs
from agents.trainer.workers.rewarding import reward_model
from agents.trainer.workers.rounds import iterate
from agents.trainer.workers.trying import validate_reward
from agents.trainer.workers.work import Made, Work
from agents.worker import Tell, Worker
from events.artifacts import Artifacts
from events.catalog.training import StageCompleted, StageRequested
from events.errors import NotFound
from events.fact import Fact
from events.message import Outcome
from trainers.executor import Executor

Stage = Callable[[Work], Awaitable[Made]]

STAGES: dict[str, dict[str, Stage]] = {
    "srl_rlvr": {
        "baseline": srl_rlvr.baseline,
        "srl": srl_rlvr.srl,
        "rlvr": srl_rlvr.rlvr,
        "verify": srl_rlvr.verify,
    },
    "dpo": {
        "prepare": preferring.prepare,
        "pairs": preferring.pairs,
        "initialise": dpo.initialise,
        "model_preferences": reward_model,
        "optimise": dpo.optimise,
        "iterate": iterate,
        "evaluate": evaluate,
    },
    "srf": {
        "prepare": preferring.prepare,
        "pairs": preferring.pairs,
        "train_reward": reward_model,
        "validate_reward": validate_reward,
        "optimise": srf.optimise,
        "iterate": iterate,
        "evaluate": evaluate,
    },
    "distill": {
        "teacher": distill.teacher,
        "traces": distill.traces,
        "middle": distill.middle,
        "small": distill.small,
        "verify": distill.verify,
    },
}
"""By pipeline and stage. What the data generator carries out is not among them."""


def stages(executor: Executor, artifacts: Artifacts, shelf: Path) -> Worker:
    """Carries out all of them."""
    jobs = Jobs(executor)

    async def grant(told: Fact, tell: Tell) -> Outcome:
        request = cast(StageRequested, told.event)
        stage = STAGES.get(request.pipeline, {}).get(request.stage)
        if stage is None:
            what = f"nobody here carries out {request.stage!r} of {request.pipeline!r}"
            raise NotFound(what, right="a worker of this version of ratchet")
        began = time.monotonic()

        def say(says: object) -> None:
            tell({"run": request.run, "stage": request.stage, **cast(dict[str, object], says)})

        made = await stage(Work(request, jobs, artifacts, shelf, say))
        return StageCompleted(
            run=request.run,
            stage=request.stage,
            attempt=request.attempt,
            seconds=round(time.monotonic() - began, 3),
            metrics=made.metrics,
            artifacts=made.artifacts,
            key=made.key,
        )

    return Worker(StageRequested, grant, failed)
