"""A job that TRL's loop runs: its numbers told, its guard asked, its checkpoints kept as ours are.

TRL writes a checkpoint into its own folder first, and what is whole there is moved to where the job
keeps them. A number that we rely on and that is not logged ends the job: a limit that nobody
measures is no limit.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from transformers import TrainerCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from trainers.failures import Defect
from trainers.run import Run
from trainers.trl.contract import silent

NAMES = {
    "rewards/outcome/mean": "outcome",
    "rewards/format/mean": "format",
    "completions/mean_length": "length",
    "completions/clipped_ratio": "truncated",
    "rewards/accuracies": "accuracy",
    "rewards/margins": "margin",
    "mean_token_accuracy": "accuracy",
}
"""What our own loops call by another name. All others keep theirs."""
MISLEADING = ("frac_reward_zero_std",)
"""Of several rewards it is always 0; we count that ourselves."""


class Following(TrainerCallback):
    """Tells a run what TRL does, and TRL what the run wants."""

    def __init__(
        self, run: Run, trainer: str, work: Path, *, every: int, kl: bool, samples: bool
    ) -> None:
        self._run, self._trainer, self._work = run, trainer, work
        self._every = every
        """Passages through one batch; between them it cannot be gone on from."""
        self._kl, self._samples = kl, samples
        self.reason = ""
        """Why the guard stopped it."""

    def on_substep_end(self, *_args: Any, **_: Any) -> None:
        self._run.beat()

    def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
        """Before the numbers are told and the checkpoint is written."""
        step = int(state.global_step)
        if step % self._every == 0 and self._run.checkpoint_due(step):
            control.should_save = True

    def on_log(
        self, _args: Any, state: Any, control: Any, logs: Mapping[str, float], **_: Any
    ) -> None:
        if "loss" not in logs:  # a summary of the whole, at the end
            return
        samples = self._samples and (int(state.global_step) - 1) % self._every == 0
        if missing := silent(self._trainer, logs, self._kl, samples):
            raise Defect(
                f"{self._trainer} does not log {', '.join(missing)}",
                where="TRL",
                right="the version that trainers/trl/contract.py was written for",
            )
        self.reason = self._run.report(int(state.global_step), **named(logs))
        if self.reason:
            control.should_training_stop = True

    def on_save(self, _args: Any, state: Any, *_more: Any, **_: Any) -> None:
        step = int(state.global_step)
        written = self._work / f"{PREFIX_CHECKPOINT_DIR}-{step}"
        self._run.safe_point(step, partial(_moved, written))


def named(logs: Mapping[str, float]) -> dict[str, float]:
    """By our names, where we have one."""
    return {
        NAMES.get(name, name): float(number)
        for name, number in logs.items()
        if name not in MISLEADING
    }


def _moved(written: Path, place: Path) -> None:
    for one in sorted(written.iterdir()):
        os.replace(one, place / one.name)
    written.rmdir()
