"""The stability guard: from the numbers that a run reports, whether it should stop, and why.

Pure: a fold over the reported steps, so what stopped a run is found again from metrics.jsonl. It
knows these names and ignores all others:

    loss, grad_norm      that they are finite, and where they usually lie
    kl                   against its limit
    entropy, entropy_reference     the second where the trainer knows it, else the first steps'
    outcome, format      mean reward for what counts, and for form alone
    score                progress; where it is absent, outcome, then reward, then the falling loss
    zero_variance        share of groups that teach nothing

Numbers of training are noisy. A single wild step is no reason to stop, unless it is no number at
all; a reason has to hold for a few steps, and to stand out from the spread before them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import NamedTuple

from events.catalog.jobs import Limits

Numbers = Mapping[str, float]

HOLDS = 3
"""Steps that a reason has to hold."""
WILD_HOLDS = 5
"""Steps that loss or gradients have to be wild; healthy ones are for three now and then."""
USUAL = 12
"""Steps that say where a number usually lies; before there are so many, nothing stands out."""
RECENT = 48
"""Steps that are remembered."""
WILD = 12.0
"""Spreads above the usual that a number may reach; heavy tails of healthy runs stay below."""
TIMES = 5.0
"""And times the usual size."""
FAR = 20.0
"""A loss that stays this much, and so many times its first size, above the first one ran away with
the first steps already, before there was anything usual."""
STIRS = 1.0
"""And this much in itself: a loss that was nothing for a while may become something."""
SMOOTH = 8
"""Steps of which progress is the mean."""
TREND = 12
"""Steps on either side of a comparison of then and now."""
IDLE, IDLE_SHARE = 10, 0.95
"""So many steps in which nearly all groups teach nothing."""


class Reason(NamedTuple):
    """Why a run should stop, and whether the model is harmed or a limit is merely reached."""

    text: str
    harm: bool


@dataclass(frozen=True)
class Guard:
    """What the guard has seen of a run."""

    limits: Limits
    recent: tuple[Numbers, ...] = ()
    first: float | None = None
    """The loss of the first step."""
    entropy: tuple[float, ...] = ()
    """The first ones, of a policy that is still the reference."""
    best: float = -math.inf
    best_step: int = 0
    reason: Reason | None = None
    """Once found it stays."""

    def after(self, step: int, numbers: Numbers) -> Guard:
        """The guard when it has seen one more step."""
        if self.reason is not None:
            return self
        if broken := _not_finite(numbers):
            return replace(self, reason=Reason(f"{broken} at step {step}", harm=True))
        entropy = self.entropy
        if "entropy" in numbers and len(entropy) < HOLDS + 2:
            entropy = (*entropy, numbers["entropy"])
        first = numbers.get("loss") if self.first is None else self.first
        recent = (*self.recent, numbers)[-RECENT:]
        seen = replace(self, recent=recent, first=first, entropy=entropy)
        seen = seen._progressed(step)
        return replace(seen, reason=seen._found(step))

    def _progressed(self, step: int) -> Guard:
        progress = [found for one in self.recent[-SMOOTH:] if (found := _progress(one)) is not None]
        if len(progress) < SMOOTH:
            return replace(self, best_step=step)
        now = fmean(progress)
        least = 0.01 * abs(self.best) if math.isfinite(self.best) else 0.0
        if now > self.best + least:
            return replace(self, best=now, best_step=step)
        return self

    def _found(self, step: int) -> Reason | None:
        for name in ("loss", "grad_norm"):
            if said := _ran_away(name, _of(name, self.recent)):
                return Reason(f"{said} at step {step}", harm=True)
        return (
            self._far_from_the_first(step)
            or self._entropy_collapsed()
            or _form_alone(self.recent)
            or self._kl_reached()
            or self._idle()
            or self._no_progress(step)
        )

    def _far_from_the_first(self, step: int) -> Reason | None:
        last = _of("loss", self.recent)[-WILD_HOLDS:]
        if self.first is None or len(last) < WILD_HOLDS:
            return None
        if min(last) <= self.first + FAR * max(1.0, abs(self.first)):
            return None
        said = f"loss ran away: {last[-1]:.3g}, where it began with {self.first:.3g}"
        return Reason(f"{said} at step {step}", harm=True)

    def _kl_reached(self) -> Reason | None:
        limit, kl = self.limits.kl, _of("kl", self.recent)
        if limit is None or not kl:
            return None
        last = kl[-HOLDS:]
        if fmean(last) > limit or kl[-1] > 2 * limit:
            return Reason(f"KL is {fmean(last):.3g}, beyond its limit of {limit:g}", harm=False)
        return None

    def _entropy_collapsed(self) -> Reason | None:
        share = self.limits.entropy_share
        known = _of("entropy_reference", self.recent)
        reference = known[-1] if known else fmean(self.entropy) if self.entropy else 0.0
        last = _of("entropy", self.recent)[-HOLDS:]
        if share is None or len(last) < HOLDS or max(last) >= share * reference:
            return None
        said = f"entropy fell to {last[-1]:.3g}, below {share:g} of the reference's {reference:.3g}"
        return Reason(said, harm=True)

    def _idle(self) -> Reason | None:
        last = _of("zero_variance", self.recent)[-IDLE:]
        if len(last) < IDLE or fmean(last) < IDLE_SHARE:
            return None
        said = f"for {IDLE} steps {fmean(last):.0%} of the groups had nothing to teach"
        return Reason(said, harm=False)

    def _no_progress(self, step: int) -> Reason | None:
        patience = self.limits.patience
        if patience is None or step - self.best_step < patience:
            return None
        return Reason(f"no progress in {step - self.best_step} steps", harm=False)


def _not_finite(numbers: Numbers) -> str:
    return next((f"{name} is {one}" for name, one in numbers.items() if not math.isfinite(one)), "")


def _of(name: str, steps: Sequence[Numbers]) -> list[float]:
    return [one[name] for one in steps if name in one]


def _progress(numbers: Numbers) -> float | None:
    for name in ("score", "outcome", "reward"):
        if name in numbers:
            return numbers[name]
    return -numbers["loss"] if "loss" in numbers else None


def _ran_away(name: str, values: Sequence[float]) -> str:
    """Whether the last few stand far above all that was usual before them."""
    before, last = values[:-WILD_HOLDS], values[-WILD_HOLDS:]
    if len(before) < USUAL:
        return ""
    usual = median(before)
    spread = 1.4826 * median(abs(one - usual) for one in before)
    size = median(abs(one) for one in before)
    bound = usual + max(WILD * spread, TIMES * size, STIRS)
    if min(last) <= bound:
        return ""
    return f"{name} ran away: {last[-1]:.3g}, where {usual:.3g} was usual"


def _form_alone(steps: Sequence[Numbers]) -> Reason | None:
    """Whether the reward for form has risen while the one that counts has fallen."""
    both = [one for one in steps if "format" in one and "outcome" in one][-2 * TREND :]
    if len(both) < 2 * TREND:
        return None
    then, now = both[:TREND], both[TREND:]
    form, rose = _change(_of("format", then), _of("format", now))
    outcome, fell = _change(_of("outcome", then), _of("outcome", now))
    if form > 0.05 and rose > 3 and outcome < -0.05 and fell < -3:
        said = f"the reward for form rose by {form:.2f} while the outcome fell by {-outcome:.2f}"
        return Reason(said, harm=True)
    return None


def _change(then: Sequence[float], now: Sequence[float]) -> tuple[float, float]:
    """How far the mean moved, and that in its own standard errors."""
    moved = fmean(now) - fmean(then)
    error = math.sqrt((_variance(then) + _variance(now)) / len(now))
    return moved, moved / (error + 1e-6)


def _variance(values: Sequence[float]) -> float:
    mean = fmean(values)
    return fmean((one - mean) ** 2 for one in values)
