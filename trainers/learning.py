"""A model that learns: what is trained of it, the optimizer, its rates, its checkpoints.

What a step draws, samples or drops follows from the seed and the number of the step. So a job that
goes on from a checkpoint does, on a CPU, bit for bit what it would have done.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from trainers.order import derived
from trainers.settings import Learning

Tensor = Any


def rate_at(step: int, steps: int, settings: Learning) -> float:
    """The share of the full learning rate at this step; the first step is 1."""
    warmup = round(settings.warmup_share * steps)
    if step <= warmup:
        return step / warmup
    along = (step - 1 - warmup) / max(1, steps - warmup)
    match settings.schedule:
        case "linear":
            return 1 - along
        case "cosine":
            return 0.5 * (1 + math.cos(math.pi * along))
    return 1.0


class Learner:
    """Trains what can be trained of some modules; a ratio of rates belongs to each."""

    def __init__(
        self, modules: Iterable[tuple[Any, float]], settings: Learning, steps: int, seed: int
    ) -> None:
        self._modules = list(modules)
        self._settings, self._steps, self._seed = settings, steps, seed
        groups = [
            {"params": [one for one in module.parameters() if one.requires_grad], "ratio": ratio}
            for module, ratio in self._modules
        ]
        self.parameters = [one for group in groups for one in group["params"]]  # type: ignore[attr-defined]
        self.optimizer = torch.optim.AdamW(
            groups, lr=settings.rate, weight_decay=settings.weight_decay, fused=True
        )

    def begin(self, step: int) -> None:
        """Set the rates for this step, and its randomness, which dropout takes."""
        torch.manual_seed(derived(self._seed, "step", step))
        share = rate_at(step, self._steps, self._settings)
        for group in self.optimizer.param_groups:
            group["lr"] = self._settings.rate * group["ratio"] * share

    def write(self, place: Path, **more: Any) -> None:
        """All that is needed to go on from here."""
        version, numbers, gauss = random.getstate()
        state = {
            "modules": [trained_of(module) for module, _ in self._modules],
            "optimizer": self.optimizer.state_dict(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "python": [version, list(numbers), gauss],
            "more": more,
        }
        torch.save(state, place / "state.pt")

    def read(self, place: Path) -> dict[str, Any]:
        """Stand where that was written; what else was kept there."""
        state = torch.load(place / "state.pt", weights_only=True)
        for (module, _), weights in zip(self._modules, state["modules"], strict=True):
            strange = module.load_state_dict(weights, strict=False).unexpected_keys
            assert not strange, strange
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["torch"])
        if state["cuda"]:
            torch.cuda.set_rng_state_all(state["cuda"])
        version, numbers, gauss = state["python"]
        random.setstate((version, tuple(numbers), gauss))
        found: dict[str, Any] = state["more"]
        return found


def trained_of(module: Any) -> dict[str, Tensor]:
    """The weights that change; the others come from the base again."""
    names = {name for name, one in module.named_parameters() if one.requires_grad}
    return {name: one for name, one in module.state_dict().items() if name in names}
