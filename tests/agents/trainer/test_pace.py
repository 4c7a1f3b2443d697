"""How far a job is: its step of how many, tokens a second, and what is left."""

from __future__ import annotations

from typing import Any

from agents.trainer.workers.progress import Pace
from events.catalog.jobs import DataRef, JobSpec, Recipe


def pace(trainer: str, rows: int = 0, **settings: Any) -> Pace:
    ref = DataRef(name="train", sha256="sha256:" + "0" * 64, size=1, rows=rows)
    recipe = Recipe(trainer=trainer, profile="tiny", settings=settings)
    return Pace(
        JobSpec(
            job="j", base="tiny", model_type="support_replies", recipe=recipe, seed=1,
            data=(ref,) if rows else (),
        )
    )  # fmt: skip


def test_a_job_says_its_step_of_how_many_and_how_long_it_still_takes() -> None:
    mine = pace("srl", steps=80, batch=16, samples=8)
    assert mine.after({}) == {"of": 80}
    said = mine.after({"step": 20, "seconds": 30.0, "length": 15.0})
    assert said == {"of": 80, "left": 90.0, "tokens_per_second": 15 * 16 * 8 * 20 / 30}
    said = mine.after({"step": 21, "seconds": 34.0, "length": 20.0})
    assert said["tokens_per_second"] == 20 * 16 * 8 / 4


def test_passages_over_rows_are_counted_in_steps() -> None:
    assert pace("reward", rows=100, epochs=3, batch=32).steps == 10
    assert pace("reward").steps == 0


def test_what_nobody_knows_is_not_said() -> None:
    assert pace("measure").after({"step": 1, "seconds": 2.0}) == {}
    own = JobSpec.model_validate(
        JobSpec.example | {"recipe": {"trainer": "mine.trainer:train"}, "data": ()}
    )
    assert Pace(own).after({"step": 5, "seconds": 1.0}) == {}
    again = pace("sft", steps=10)
    again.after({"step": 8, "seconds": 4.0})
    assert again.after({"step": 3, "seconds": 1.5})["left"] == 3.5  # begun again from before
