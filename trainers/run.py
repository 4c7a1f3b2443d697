"""What a trainer is given: its spec, its rows, and where to tell what happens.

A trainer is one function, `def train(run: Run) -> Outcome`, and its loop looks like this:

    begin = 0
    if (place := run.resume_from()) is not None:
        begin = ...                               # what it wrote there, all random states too
    for step in range(begin + 1, steps + 1):
        ...
        if run.report(step, loss=..., grad_norm=...):
            break                                 # the guard says stop: finish in good order
        run.safe_point(step, partial(write, ...)) # a checkpoint when one is due; leaves by an
                                                  # exception when the job has to end now
    run.save_model(write_model)
    return Outcome(metrics={...}, per_item=run.save_items(items))

Whatever it does from the same spec, rows and checkpoint comes out the same: the seeds are set, the
clock is not its business.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from events.catalog.jobs import JobSpec
from trainers.checkpoints import newest, noted, save
from trainers.data import TRAIN, rows
from trainers.failures import BadData, Cancelled
from trainers.folder import append, data_file, lines_of, put, put_folder
from trainers.guard import Guard
from trainers.manifest import Manifest
from trainers.model_types.finding import model_type
from trainers.watch import Watch

SAVE_EVERY = 100
"""Steps between checkpoints, where the settings do not say."""


class Run:
    """One job, as its trainer sees it."""

    def __init__(self, spec: JobSpec, settings: Any, watch: Watch) -> None:
        self.spec = spec
        self.settings = settings
        self.folder = watch.folder
        self.manifest = Manifest(spec, self.folder)
        self.guard = Guard(spec.limits)
        self.step = 0
        """The last step that was reported."""
        self._watch = watch
        self._aligned = False

    @property
    def seconds(self) -> float:
        """Seconds of training, over all starts."""
        return self._watch.elapsed

    @cached_property
    def model_type(self) -> Any:
        """What the model is for: verifier, rewards, metrics."""
        return model_type(self.spec.model_type)

    def rows(self, name: str = TRAIN) -> list[dict[str, Any]]:
        """The rows of this name, which were checked before."""
        ref = self.spec.data_named(name)
        if ref is None:
            named = ", ".join(one.name for one in self.spec.data) or "none"
            right = f"one of those that are: {named}"
            raise BadData(f"there are no rows named {name!r}", where="data", right=right)
        return list(rows(data_file(self.folder, ref.sha256), name))

    def report(self, step: int, **numbers: float) -> str:
        """Keep the numbers of a step; what comes back is '' or the guard's reason to stop."""
        if not self._aligned:
            self._align(0)
        known = {name: float(number) for name, number in numbers.items()}
        line = {"step": step, "seconds": round(self.seconds, 3), **_plain(known)}
        text = (json.dumps(line) + "\n").encode()
        append(self.folder / "metrics.jsonl", text)
        self.beat()
        self.step = step
        self.guard = self.guard.after(step, known)
        return "" if self.guard.reason is None else self.guard.reason.text

    def beat(self) -> None:
        """Say that it is still at work; worth saying in the middle of a long step."""
        (self.folder / "heartbeat").touch()

    def stop_reason(self) -> str:
        """Why the job has to end now, or ''."""
        stop = self._watch.stop()
        return "" if stop is None else stop.what

    def checkpoint_due(self, step: int) -> bool:
        """Whether it is time for a checkpoint: every so many steps, and before leaving."""
        every = getattr(self.settings, "save_every", SAVE_EVERY)
        return step % every == 0 or self._watch.stop() is not None

    def checkpoint(self, step: int, write: Callable[[Path], None]) -> None:
        """Have everything written that is needed to go on from behind this step."""
        save(self.folder, step, write, {"seconds": round(self.seconds, 3)})

    def safe_point(self, step: int, write: Callable[[Path], None]) -> None:
        """Where a job may be left: a checkpoint if one is due, and the end if it has to be."""
        stop = self._watch.stop()
        if isinstance(stop, Cancelled):  # nobody will go on from here
            raise stop
        if stop is not None or self.checkpoint_due(step):
            self.checkpoint(step, write)
        if stop is not None:
            raise stop

    def resume_from(self) -> Path | None:
        """The checkpoint to go on from, if there is one; what was reported after it is dropped."""
        place = newest(self.folder)
        if place is None:
            self._align(0)
            return None
        step, facts = noted(place)
        self._align(step)
        self._watch.spent = max(self._watch.spent, float(facts.get("seconds", 0.0)))
        return place

    def note(self, name: str, value: Any) -> None:
        """Keep in the manifest what was found out, such as the batch that fits."""
        self.manifest.note(name, value)

    def noted(self, name: str) -> Any:
        """What was found out under this name, also before the job was started again."""
        return self.manifest.noted(name)

    def save_model(self, write: Callable[[Path], None]) -> Path:
        """Have the trained model written, whole."""
        put_folder(self.folder / "model", write)
        return self.folder / "model"

    def save_items(self, items: Iterable[Mapping[str, Any]]) -> str:
        """Keep what was measured, item by item; the name of the file."""
        text = "".join(json.dumps(dict(one)) + "\n" for one in items)
        put(self.folder / "per_item.jsonl", text.encode())
        return "per_item.jsonl"

    def _align(self, step: int) -> None:
        """Have metrics and guard stand where the trainer stands: behind this step."""
        kept = [one for one in lines_of(self.folder / "metrics.jsonl") if one["step"] <= step]
        text = "".join(json.dumps(one) + "\n" for one in kept)
        put(self.folder / "metrics.jsonl", text.encode())
        self.guard, self.step = Guard(self.spec.limits), step
        for one in kept:
            numbers = {name: float(n) for name, n in one.items() if name not in ("step", "seconds")}
            self.guard = self.guard.after(one["step"], numbers)
        self._aligned = True


def _plain(numbers: Mapping[str, float]) -> dict[str, float | str]:
    """As JSON has them, which knows no NaN: as words, which float() reads again."""
    return {name: one if math.isfinite(one) else str(one) for name, one in numbers.items()}
