"""Trainings one after another, as a person would ask for them: each job in a folder of its own.

What has ended is not done again: the folders lie under the hash of all that trains, so a proof that
was stopped goes on, and code that changed begins anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from events.catalog.jobs import JobSpec, Limits, Recipe
from tests.house.source import ROOT
from tests.trainers.jobs import content, ref
from trainers.model_types import model_type

Rows = Sequence[Mapping[str, Any]]
PLACE = ROOT / "build" / "proofs"


def _code() -> str:
    """Names the code that trains."""
    digest = sha256()
    for file in sorted((ROOT / "trainers").rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


class Ended(NamedTuple):
    """How a job came out."""

    code: int
    seconds: float
    metrics: Mapping[str, float]
    items: list[dict[str, Any]]
    said: str
    folder: Path

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def scores(self) -> list[float]:
        """Of each held-out problem: the share of its samples that is right."""
        return [sum(one["sampled"]) / len(one["sampled"]) for one in self.items]


class Chain:
    """The jobs of one seed on one kind of model."""

    def __init__(self, name: str, kind: str, seed: int) -> None:
        self.seed, self.kind = seed, kind
        self.folder = PLACE / _code() / f"{name}-{seed}"

    @staticmethod
    def bases() -> Path:
        """Tiny bases carry the hash of their own recipe."""
        return PLACE / "bases"

    def run(
        self,
        name: str,
        trainer: str,
        base: Path,
        rows: Mapping[str, Rows],
        limits: Limits | None = None,
        **settings: Any,
    ) -> Ended:
        """Carry it out, unless it has ended already."""
        texts = {part: content(tuple(some)) for part, some in rows.items()}
        refs = [ref(text, part) for part, text in texts.items()]
        spec = JobSpec(
            job=name,
            base=str(base),
            model_type=self.kind,
            data=tuple(refs),
            recipe=Recipe(trainer=trainer, profile="tiny", settings=settings),
            seed=self.seed,
            limits=limits or Limits(),
        )
        wanted = spec.model_dump_json()
        folder = self.folder / f"{name}-{sha256(wanted.encode()).hexdigest()[:8]}"
        (folder / "data").mkdir(parents=True, exist_ok=True)
        for one, text in zip(refs, texts.values(), strict=True):
            (folder / "data" / one.sha256.removeprefix("sha256:")).write_bytes(text)
        (folder / "spec.json").write_text(wanted)
        words = [sys.executable, "-m", "trainers.job", str(folder / "spec.json")]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        outcome = json.loads((folder / "outcome.json").read_text())
        items = folder / "per_item.jsonl"
        return Ended(
            done.returncode,
            outcome["seconds"],
            outcome.get("metrics") or {},
            [json.loads(line) for line in items.read_text().splitlines()] if items.exists() else [],
            done.stdout + done.stderr,
            folder,
        )

    def as_it_is(self, base: Path, held_out: Rows) -> Ended:
        """A model measured as the end of every job measures its own; nothing is learned."""
        rows = {"train": [_nothing(self.kind)], "held_out": held_out}
        return self.run("baseline", "sft", base, rows, steps=1, batch=1, learning_rate=1e-12)


def _nothing(kind: str) -> dict[str, Any]:
    found = model_type(kind)
    problem = next(iter(found.problems(0)))
    return {"prompt": problem.prompt, "completion": found.completion(found.solve(problem))}
