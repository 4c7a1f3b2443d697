"""A walk without work: it tries a home, its owner and its workers, and trains nothing."""

from __future__ import annotations

from pipelines.pipeline import Pipeline, Stage

REHEARSAL = Pipeline(
    "rehearsal",
    "Its stages only wait: it tries an installation, and no model comes of it.",
    tuple(Stage(name, "Waits.") for name in ("data", "srl", "rlvr", "verify")),
)
