"""Jobs that really train, on additions: their rows, their folders, and what came of them."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from events.catalog.jobs import DataRef, JobSpec, Limits, Recipe
from tests.trainers.jobs import content, ran, ref
from trainers.model_types import model_type

TYPE = model_type("arithmetic_reasoning")
Rows = Sequence[Mapping[str, Any]]


def problems(many: int, seed: int = 5) -> list[Any]:
    return list(islice(TYPE.problems(seed), many))


def solved(many: int = 200) -> Rows:
    """Problems with an expert's steps."""
    found = []
    for one in problems(many):
        trajectory = TYPE.solve(one)
        steps = [step._asdict() for step in trajectory.steps]
        found.append({"prompt": one.prompt, "steps": steps, "outcome": trajectory.outcome})
    return found


def asked(many: int = 200) -> Rows:
    return [one._asdict() for one in problems(many)]


def held_out(many: int = 100) -> Rows:
    return [one._asdict() for one in TYPE.suite(1, many)]


def written(many: int = 200) -> Rows:
    return [
        {"prompt": one.prompt, "completion": TYPE.completion(TYPE.solve(one))}
        for one in problems(many)
    ]


def pairs(many: int = 300, seed: int = 5) -> Rows:
    """The right completion, and one in which a column went wrong."""
    luck, found = random.Random(seed), []
    for one in problems(many, seed):
        right = TYPE.completion(TYPE.solve(one))
        place = luck.choice([place for place, sign in enumerate(right) if sign.isdigit()])
        digit = str((int(right[place]) + luck.randint(1, 9)) % 10)
        wrong = right[:place] + digit + right[place + 1 :]
        found.append({"prompt": one.prompt, "chosen": right, "rejected": wrong})
    return found


def job(
    folder: Path,
    base: Path,
    trainer: str,
    rows: Rows,
    others: Rows = (),
    limits: Limits | None = None,
    **settings: Any,
) -> Path:
    """A job in its folder, ready to begin; its spec."""
    (folder / "data").mkdir(parents=True)
    refs: list[DataRef] = []
    for name, some in (("train", rows), ("held_out", others)):
        if some:
            text = content(tuple(some))
            refs.append(ref(text, name))
            (folder / "data" / refs[-1].sha256.removeprefix("sha256:")).write_bytes(text)
    wanted = JobSpec(
        job=folder.name,
        base=str(base),
        model_type=TYPE.name,
        data=tuple(refs),
        recipe=Recipe(trainer=trainer, profile="tiny", settings=settings),
        seed=7,
        limits=limits or Limits(),
    )
    file = folder / "spec.json"
    file.write_text(wanted.model_dump_json())
    return file


def outcome(file: Path) -> dict[str, Any]:
    """Run a job to its good end; what came of it."""
    code, said = ran(file)
    assert code == 0, said + (file.parent / "log.txt").read_text()[-3000:]
    found: dict[str, Any] = json.loads((file.parent / "outcome.json").read_text())
    return found
