"""Remedies: what is done about a gate that did not hold, as data.

A remedy names the symptoms that it cures, what it changes, and the stage from which the run goes
on. Each may be tried so many times in a run; when none is left, the run is given up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from events.catalog.changes import Change


class Remedy(NamedTuple):
    """One thing that may help."""

    name: str
    cures: tuple[str, ...]
    """Symptoms: `kl above`, `pairs below`, `failed unstable`; `* unclear` is all of that kind."""
    changes: tuple[Change, ...] = ()
    back_to: str = ""
    """The stage from which the run goes on; empty is the one that did not hold."""
    most: int = 2
    """How often it may be tried in a run."""
    but: tuple[str, ...] = ()
    """Symptoms that it does not cure although `cures` speaks of all of their kind."""
    skips: bool = False
    """The run does without this stage: what was there before it is kept, and the next one comes."""


def times(stage: str, setting: str, by: float) -> Change:
    return Change(stage=stage, setting=setting, how="times", by=by)


def plus(stage: str, setting: str, by: float) -> Change:
    return Change(stage=stage, setting=setting, how="plus", by=by)


def put(stage: str, setting: str, by: float) -> Change:
    """To this value; of what is on or off, 1 is on."""
    return Change(stage=stage, setting=setting, how="set", by=by)


def lighter(stage: str) -> Remedy:
    """What is left where not even one sample fits: adapters, activations computed twice, and no
    very long texts."""
    changes = (
        put(stage, "gradient_checkpointing", 1),
        put(stage, "lora", 1),
        times(stage, "max_length", 0.75),
    )
    return Remedy("less_memory", ("failed no_memory",), changes, most=1)


def quicker(stage: str) -> Remedy:
    """For a training that takes too long: what it does at once is halved."""
    return Remedy("smaller_batches", ("failed out_of_time",), (times(stage, "batch", 0.5),), most=1)


def longer(stage: str, by: float) -> tuple[Change, Change]:
    """So many times the updates; a training counts either steps or passages, and takes what it
    counts."""
    return times(stage, "steps", by), times(stage, "epochs", by)


def chosen(
    remedies: Sequence[Remedy], symptoms: Sequence[str], used: Mapping[str, int]
) -> tuple[Remedy, str] | None:
    """The first that is left for any of the symptoms, and that symptom.

    What surely fails comes before what is only unclear: measuring more would not mend it.
    """
    ordered = sorted(symptoms, key=lambda one: one.endswith(" unclear"))
    for symptom in ordered:
        for remedy in remedies:
            if _cures(remedy, symptom) and used.get(remedy.name, 0) < remedy.most:
                return remedy, symptom
        if not symptom.endswith(" unclear"):
            return None  # the plainest trouble has no remedy left
    return None


def settled(
    changes: Sequence[Change], stage: str, defaults: Mapping[str, float]
) -> dict[str, float]:
    """The settings of a stage that remedies have changed, in the order in which they did."""
    found: dict[str, float] = {}
    for one in changes:
        if one.stage != stage:
            continue
        now = found.get(one.setting, defaults.get(one.setting, 0.0))
        match one.how:
            case "times":
                found[one.setting] = now * one.by
            case "plus":
                found[one.setting] = now + one.by
            case "set":
                found[one.setting] = one.by
    return found


def _cures(remedy: Remedy, symptom: str) -> bool:
    if symptom in remedy.but:
        return False
    metric, _, kind = symptom.rpartition(" ")
    return symptom in remedy.cures or (bool(metric) and f"* {kind}" in remedy.cures)
