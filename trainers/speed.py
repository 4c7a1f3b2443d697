"""How long a model takes: one prompt after another, as somebody would wait for it.

Where the job has a reference it answers the same prompts in turn with the model: so what else the
machine does at the time slows both alike.
"""

from __future__ import annotations

import time
from typing import Any

from trainers.closing import HELD_OUT
from trainers.engine import Engine
from trainers.models import load, load_reference
from trainers.outcome import Outcome
from trainers.policy import device_of
from trainers.run import Run

WARM = 2
"""Prompts that are answered first and do not count: what is loaded late is loaded then."""


def speed(run: Run) -> Outcome:
    """Milliseconds from a prompt to the end of its likeliest answer, and the tokens of that; how
    many weights the model has."""
    device = device_of(run)
    engines = {"": Engine(*load(run.spec.base, device=device))}
    if run.spec.reference is not None:
        engines["reference_"] = Engine(*load_reference(run.spec.reference, device=device))
    prompts = [str(row["prompt"]) for row in run.rows(HELD_OUT)]
    items: list[dict[str, Any]] = []
    for place, prompt in enumerate([*prompts[:WARM], *prompts]):
        run.beat()
        item: dict[str, Any] = {}
        for whose, engine in engines.items():
            took, tokens = _timed(run, engine, prompt)
            item |= {f"{whose}ms": took, f"{whose}tokens": tokens}
        if place >= min(WARM, len(prompts)):
            items.append(item)
    whole, many = (sum(one[name] for one in items) for name in ("ms", "tokens"))
    metrics: dict[str, float | None] = {
        "ms_per_answer": whole / len(items),
        "ms_per_token": whole / many,
        **{f"{whose}weights": _weights(engine) for whose, engine in engines.items()},
    }
    return Outcome(metrics=metrics, per_item=run.save_items(items))


def _weights(engine: Engine) -> float:
    return float(sum(one.numel() for one in engine.model.parameters()))


def _timed(run: Run, engine: Engine, prompt: str) -> tuple[float, int]:
    began = time.perf_counter()
    (one,) = engine.generate([prompt], run.settings.max_new, 0.0)
    return round(1000 * (time.perf_counter() - began), 3), max(1, len(one.token_ids))
