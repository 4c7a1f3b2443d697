"""A job that makes the model which others begin from, where nobody has one: a tiny base."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

from trainers.outcome import Outcome
from trainers.run import Run
from trainers.tiny import make_tiny_base


def train(run: Run) -> Outcome:
    """Trained on an expert's answers until it is right as often as was asked for, and no more."""
    settings = run.settings
    bases = run.folder.parent.parent / "bases"  # beside the jobs: another run may want the same
    made = make_tiny_base(
        run.model_type,
        run.spec.seed % 2**32,
        settings.size,
        settings.level,
        bases,
        told=lambda step, accuracy: run.report(step, accuracy=accuracy),
    )

    def write(place: Path) -> None:
        copytree(made, place, dirs_exist_ok=True)

    run.save_model(write)
    return Outcome(metrics={"level": settings.level})
