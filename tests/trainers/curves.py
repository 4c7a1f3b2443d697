"""Curves as healthy trainings draw them: noisy, heavy-tailed, never quite still."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

Curve = Iterator[dict[str, float]]


def imitation(luck: random.Random, steps: int) -> Curve:
    """The loss falls from 3.8 towards 0.25; gradients shrink, with a large one now and then."""
    for step in range(steps):
        level = 0.25 + 3.5 * math.exp(-step / 25)
        yield {
            "loss": level * luck.lognormvariate(0, 0.08),
            "grad_norm": (0.3 + level) * luck.lognormvariate(0, 0.35) * _seldom(luck, 0.03, 8),
        }


def rewards(luck: random.Random, steps: int) -> Curve:
    """Reinforcement: the loss lies around nothing, the reward climbs, the policy settles."""
    for step in range(steps):
        share = step / steps
        right = 0.25 + 0.5 * share
        yield {
            "loss": luck.gauss(0.0, 0.03) * _seldom(luck, 0.05, 5),
            "grad_norm": 0.4 * luck.lognormvariate(0, 0.5) * _seldom(luck, 0.05, 6),
            "kl": 0.06 * share * luck.lognormvariate(0, 0.2),
            "entropy": (0.2 - 0.07 * share) * luck.lognormvariate(0, 0.06),
            "outcome": _within(luck.gauss(right, 0.06)),
            "format": _within(luck.gauss(0.9 + 0.09 * share, 0.02)),
            "zero_variance": _within(luck.gauss(0.3 + 0.3 * share, 0.1)),
        }


def saturated(luck: random.Random, steps: int) -> Curve:
    """Nearly solved: form is perfect, the outcome trembles just below its best."""
    for _ in range(steps):
        yield {
            "loss": luck.gauss(0.0, 0.01),
            "grad_norm": luck.lognormvariate(-2, 1.0),
            "outcome": _within(luck.gauss(0.9, 0.05)),
            "format": 1.0,
            "zero_variance": _within(luck.gauss(0.75, 0.1)),
        }


def preferences(luck: random.Random, steps: int) -> Curve:
    """Pairs with wrong labels among them: from ln 2 to 0.5, noisily; the first loss is exact."""
    for step in range(steps):
        level = 0.5 + 0.193 * math.exp(-step / 15)
        yield {
            "loss": level + luck.gauss(0, 0.06) * (step > 0),
            "grad_norm": 2.0 * luck.lognormvariate(0, 0.4),
            "kl": 0.05 * (1 - math.exp(-step / 30)),
        }


def quiet_then_learning(luck: random.Random, steps: int) -> Curve:
    """On policy the loss is nothing at first, to the last digits, and then it stirs."""
    for step in range(steps):
        stirs = max(0.0, step - 20) / steps
        yield {
            "loss": luck.gauss(0, 1e-8) + stirs * 0.05 * luck.lognormvariate(0, 0.5),
            "grad_norm": 1e-6 if step < 15 else 0.5 * luck.lognormvariate(0, 0.5),
        }


HEALTHY: dict[str, Callable[[random.Random, int], Curve]] = {
    "imitation": imitation,
    "rewards": rewards,
    "saturated": saturated,
    "preferences": preferences,
    "quiet_then_learning": quiet_then_learning,
}


def _seldom(luck: random.Random, share: float, times: float) -> float:
    return times if luck.random() < share else 1.0


def _within(value: float) -> float:
    return min(1.0, max(0.0, value))
