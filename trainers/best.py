"""The best of what a training passed through, by rows that it does not learn from.

It is looked at a few times on the way, and what stood best is kept in one file; the training ends
with that, not with its last step. After a kill the looks before it stand where they stood, and
those that are taken again say the same: so it ends with the same weights.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import torch

from trainers.folder import sync
from trainers.learning import trained_of
from trainers.run import Run

LOOKS = 8
"""So often a training is looked at."""


class Best:
    """What stood best so far, of some modules."""

    def __init__(self, run: Run, modules: Sequence[Any], steps: int) -> None:
        self._file = run.folder / "best.pt"
        self._modules = list(modules)
        self._every, self._steps = max(1, steps // LOOKS), steps
        found = self._kept()
        self._at = None if found is None else (float(found["worth"]), -int(found["step"]))

    def due(self, step: int) -> bool:
        """Whether it is time for a look; the last step always is one."""
        return step % self._every == 0 or step == self._steps

    def seen(self, step: int, worth: float) -> None:
        """Keep what stands now if nothing was better; of two that are alike the earlier."""
        if self._at is not None and self._at >= (worth, -step):
            return
        made = self._file.parent / f".{self._file.name}.{uuid4().hex}"
        weights = [trained_of(one) for one in self._modules]
        torch.save({"step": step, "worth": worth, "modules": weights}, made)
        sync(made)
        os.replace(made, self._file)
        sync(self._file.parent)
        self._at = (worth, -step)

    def restore(self) -> int | None:
        """Stand where it was best; the step, or None where nothing was good enough to be kept."""
        found = self._kept()
        if found is None:
            return None
        for module, one in zip(self._modules, found["modules"], strict=True):
            strange = module.load_state_dict(one, strict=False).unexpected_keys
            assert not strange, strange
        return int(found["step"])

    def _kept(self) -> dict[str, Any] | None:
        if not self._file.exists():
            return None
        kept: dict[str, Any] = torch.load(self._file, weights_only=True)
        return kept
