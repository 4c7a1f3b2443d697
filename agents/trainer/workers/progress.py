"""How far a job is: its step of how many, how fast it goes, and how long it still takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from events.catalog.jobs import JobSpec
from trainers.recipes import SETTINGS, settings_of

TRAIN = "train"


class Pace:
    """Of one job; told each new line of its numbers, it says what they mean."""

    def __init__(self, spec: JobSpec) -> None:
        self._settings: Any = settings_of(spec.recipe) if spec.trainer in SETTINGS else None
        self._rows = spec.data_named(TRAIN)
        self._last: tuple[float, float] | None = None

    @property
    def steps(self) -> int:
        """How many there are; 0 where nobody knows."""
        settings = self._settings
        steps = getattr(settings, "steps", None)
        if steps:
            return int(steps)
        if self._rows is None or not hasattr(settings, "batch"):
            return 0
        return int(-(-self._rows.rows * getattr(settings, "epochs", 1) // settings.batch))

    def after(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """What follows from the numbers of its newest step."""
        step, seconds = float(line.get("step") or 0), float(line.get("seconds") or 0)
        before, self._last = self._last, (step, seconds)
        said: dict[str, Any] = {"of": self.steps} if self.steps else {}
        if not step or not seconds:
            return said
        if before is None or step <= before[0] or seconds <= before[1]:
            before = (0.0, 0.0)
        each = (seconds - before[1]) / (step - before[0])
        if self.steps:  # by all its steps so far: one alone says little
            said["left"] = round(max(0.0, self.steps - step) * seconds / step, 1)
        tokens = self._tokens(line)
        if tokens:
            said["tokens_per_second"] = round(tokens / each, 1)
        return said

    def _tokens(self, line: Mapping[str, Any]) -> float:
        """Those that were written in a step, where texts are."""
        settings, length = self._settings, line.get("length")
        if not isinstance(length, int | float) or not hasattr(settings, "samples"):
            return 0.0
        return float(length) * float(settings.samples) * float(getattr(settings, "batch", 1))
