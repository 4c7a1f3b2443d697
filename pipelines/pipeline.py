"""A pipeline is declared, not programmed: a name and its stages, in the order of the walk."""

from __future__ import annotations

from dataclasses import dataclass


class BrokenPipeline(ValueError):
    """A pipeline that could not be walked to its end; raised when it is built."""


@dataclass(frozen=True)
class Pipeline:
    """What a run passes through. Gates and remedies come with the pipelines that need them."""

    name: str
    stages: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.stages:
            raise BrokenPipeline(f"{self.name}: a pipeline has at least one stage")
        if len(set(self.stages)) < len(self.stages):
            raise BrokenPipeline(f"{self.name}: two stages bear one name, in {self.stages}")

    def following(self, stage: str) -> str | None:
        """The stage after this one, or None behind the last."""
        rest = self.stages[self.stages.index(stage) + 1 :]
        return rest[0] if rest else None


PIPELINES = {
    pipeline.name: pipeline
    for pipeline in (
        Pipeline("srl_rlvr", ("data", "srl", "rlvr", "verify")),
        Pipeline(
            "dpo",
            (
                "prepare",
                "pairs",
                "initialise",
                "model_preferences",
                "optimise",
                "iterate",
                "evaluate",
            ),
        ),
        Pipeline(
            "srf",
            (
                "prepare",
                "pairs",
                "train_reward",
                "validate_reward",
                "optimise",
                "iterate",
                "evaluate",
            ),
        ),
    )
}
"""Those that can be asked for. The stages' names are the order of work; what each does, its gates
and their remedies arrive with the trainers."""
