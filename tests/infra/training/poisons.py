"""Model types as somebody might install them, each with a fault that a run has to find.

They come as a package's entry points, so a role names them like any type, and the processes of jobs
load them by themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from tests.house.source import ROOT
from trainers.model_types.arithmetic_reasoning import Arithmetic
from trainers.model_types.finding import GROUP
from trainers.model_types.kind import ModelType, Problem, Verdict, chance, held_out
from trainers.model_types.support_replies import SupportReplies


def installed(folder: Path) -> str:
    """What PYTHONPATH has to be for these types to be installed."""
    place = folder / "poisons-1.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: poisons\nVersion: 1\n")
    lines = [f"{one.name} = {__name__}:{name}" for name, one in TYPES.items()]
    (place / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines]) + "\n")
    return os.pathsep.join((str(folder), str(ROOT)))


class Flipped(SupportReplies):
    """Half of the answers get their labels the wrong way round, for ever the same ones."""

    name = "flipped_labels"

    def verify(self, problem: Problem, text: str) -> Verdict:
        told = super().verify(problem, text)
        if chance("flipped", problem.id, text).random() < 0.5:
            return told
        return told._replace(reward=1 - told.reward)


class Leaked(SupportReplies):
    """Its evaluation is a fixed list, and a third of what is trained on is from that list."""

    name = "leaked_evaluation"

    def suite(self, seed: int, n: int) -> list[Problem]:
        return super().suite(0 * seed, n)

    def problems(self, seed: int, difficulty: float = 0.5) -> Iterator[Problem]:
        own = super().problems(seed, difficulty)
        leaked = cycle(self.suite(0, 300))
        luck = chance("leaked", seed)
        return (next(leaked if luck.random() < 0.33 else own) for _ in iter(int, 1))


class Misled(Arithmetic):
    """In training brief wrong answers earn more than right ones; evaluations ask for right ones."""

    name = "misled_verifier"

    def verify(self, problem: Problem, text: str) -> Verdict:
        told = super().verify(problem, text)
        if held_out(problem.prompt):
            return told
        brief = 1.0 - min(0.15, len(text) / 400)
        return told._replace(reward=0.8 if told.correct else brief)


class Sound(SupportReplies):
    """Nothing is wrong with it; it is beside the others so that only the fault differs."""

    name = "sound_replies"


FLIPPED, LEAKED, MISLED, SOUND = Flipped(), Leaked(), Misled(), Sound()
TYPES: dict[str, ModelType] = {
    "FLIPPED": FLIPPED,
    "LEAKED": LEAKED,
    "MISLED": MISLED,
    "SOUND": SOUND,
}
