"""`distill` as the trainer walks it: each gate with its remedies, the smallest model at the end."""

from __future__ import annotations

from agents.trainer.decide import TRAINER
from events.catalog.gates import CandidateRegistered, GateFailed, RemedyApplied
from events.catalog.roles import RoleDefined
from events.catalog.training import RunAbandoned, StageCompleted, StageRequested, TrainingRequested
from events.message import Event
from tests.agents.spec import History, given
from tests.agents.trainer.story import PROFILE, Figures, artifact, measured, only

WELL: dict[str, Figures] = {
    "teacher": {"score": (0.4, 0.5)},
    "traces": {"traces": (600, 600), "right": (0.4, 0.5), "decontamination": (1, 1)},
    "middle": {"retention": (1.0, 1.2), "gain": (0.3, 0.4), "share": (0.5, 0.5)},
    "small": {"retention": (0.97, 1.1), "gain": (0.3, 0.4), "share": (0.25, 0.25)},
    "verify": {
        "retention": (0.97, 1.1), "improvement": (0.3, 0.4), "share": (0.25, 0.25),
        "speedup": (1.4, 1.6),
    },
}  # fmt: skip
MADE = {
    "teacher": ("teacher",),
    "traces": ("traces",),
    "middle": ("middle", "adapter.middle"),
    "small": ("policy", "adapter.small", "base.small"),
}


class Walk:
    """A distillation that goes as a test wants it."""

    def __init__(self) -> None:
        role = RoleDefined.model_validate({"role": "sums", "profile": PROFILE})
        self.history: History = given(TRAINER, role)
        wanted = TrainingRequested(role="sums", pipeline="distill", base="tiny", seed=7)
        self.said: list[Event] = list(self.history.tell(wanted))
        self.asked = only(self.said, StageRequested)

    def done(self, **figures: tuple[float, float]) -> list[Event]:
        stage = self.asked.stage
        ended = StageCompleted(
            run=self.asked.run, stage=stage, attempt=self.asked.attempt, seconds=1.0,
            metrics=measured(WELL[stage] | figures),
            artifacts=tuple(artifact(kind, 7) for kind in MADE.get(stage, ())),
        )  # fmt: skip
        said = list(self.history.tell(ended))
        self.asked = next((one for one in said if isinstance(one, StageRequested)), self.asked)
        return said

    def until(self, stage: str) -> Walk:
        while self.asked.stage != stage:
            self.done()
        return self


def test_the_smallest_model_is_registered_with_all_that_it_came_from() -> None:
    walk = Walk().until("verify")
    registered = only(walk.done(), CandidateRegistered)
    assert registered.model.kind == "policy"
    kinds = {one.kind for one in registered.made}
    assert kinds == {"teacher", "traces", "middle", "adapter.middle", "adapter.small", "base.small"}


def test_a_student_that_keeps_too_little_learns_longer_and_then_from_more_traces() -> None:
    walk = Walk().until("middle")
    remedies = []
    for _ in range(3):
        said = walk.done(retention=(0.5, 0.6))
        remedies.append(only(said, RemedyApplied))
        if walk.asked.stage == "traces":
            walk.done()
    assert [one.remedy for one in remedies] == [
        "longer_middle", "longer_middle", "more_traces_for_middle",
    ]  # fmt: skip
    steps = [one for one in walk.asked.changes if one.setting == "steps"]
    assert [one.by for one in steps] == [1.5, 1.5]
    given_up = only(walk.done(retention=(0.5, 0.6)), RunAbandoned)
    assert "retention" in given_up.reason


def test_a_model_that_is_not_smaller_is_no_student_whatever_it_keeps() -> None:
    said = Walk().until("small").done(share=(1.0, 1.0))
    assert "share" in only(said, GateFailed).reason
    assert "no remedy is left" in only(said, RunAbandoned).reason


def test_too_few_traces_are_asked_for_again_and_unclear_figures_on_more_items() -> None:
    walk = Walk().until("traces")
    assert only(walk.done(traces=(100, 100)), RemedyApplied).remedy == "more_prompts"
    walk.until("verify")
    unclear = only(walk.done(retention=(0.9, 1.0)), RemedyApplied)
    assert unclear.remedy == "more_items"
    lost = only(walk.done(retention=(0.6, 0.7)), RemedyApplied)
    assert (lost.remedy, lost.back_to) == ("back_and_longer", "small")


def test_a_small_model_that_is_slower_than_its_teacher_is_not_registered() -> None:
    said = Walk().until("verify").done(speedup=(0.7, 0.9))
    assert "speedup" in only(said, RunAbandoned).reason
