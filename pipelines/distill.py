"""From a large model to a middle one to a small one: each learns what the larger can do in a role.

The teacher is the model that the run begins from. Only what it says rightly is learned, so a
student may come to be better than its teacher. Each student has its gate: what it keeps of the
teacher, and how much smaller it is. How far it lies from the teacher is told and not judged, since
who is right where the teacher is wrong lies far from it.
"""

from __future__ import annotations

from pipelines.gates import Check, at_least, at_most
from pipelines.pipeline import Pipeline, Stage
from pipelines.remedies import Remedy, longer, plus, times

KEPT = 0.95
"""Of the teacher's score, in any case."""
MORE_ITEMS = 2.0


def _student(name: str) -> tuple[Remedy, ...]:
    """What helps a student."""
    return (
        Remedy(f"longer_{name}", ("retention below", "gain below"), longer(name, 1.5)),
        Remedy(
            f"more_traces_for_{name}",
            ("retention below", "gain below"),
            (times("traces", "prompts", 2.0),),
            "traces",
            1,
        ),
        Remedy(
            f"calmer_{name}",
            ("failed unstable",),
            (times(name, "learning_rate", 0.5), times(name, "lora_learning_rate", 0.5)),
        ),
        Remedy("less_memory", ("failed no_memory",), (times(name, "microbatch", 0.5),)),
        Remedy("more_items", ("* unclear",), (times(name, "items", MORE_ITEMS),)),
    )


def _smaller(most: float) -> tuple[Check, ...]:
    return (
        at_least("retention", KEPT),
        at_least("gain", 0.0),
        at_most("share", most, counted=True),
    )


DISTILL = Pipeline(
    "distill",
    "Teaches a middle and then a small model of a role what a large one can do.",
    (
        Stage(
            "teacher",
            "The larger model, made where there is none, answers held-out problems.",
            (at_least("score", 0.1),),
            (Remedy("more_items", ("* unclear",), (times("teacher", "items", MORE_ITEMS),)),),
        ),
        Stage(
            "traces",
            "It writes on fresh prompts, or its traces were collected; what is right is kept.",
            (
                at_least("traces", 300, counted=True),
                at_least("decontamination", 0.9, counted=True),
            ),
            (
                Remedy("more_prompts", ("traces below",), (times("traces", "prompts", 2.0),)),
                Remedy("other_prompts", ("decontamination below",), (plus("traces", "seed", 1),)),
            ),
            takes="trajectories",
        ),
        Stage(
            "middle",
            "A middle model learns the traces, by adapters.",
            _smaller(0.8),
            _student("middle"),
        ),
        Stage(
            "small",
            "A small one learns them and what the middle one writes, by adapters.",
            _smaller(0.5),
            _student("small"),
        ),
        Stage(
            "verify",
            "The small one, what it was before, and the teacher answer what nobody has seen.",
            (
                at_least("retention", KEPT),
                at_least("improvement", 0.0),
                at_most("share", 0.5, counted=True),
                at_least("speedup", 1.0),
            ),
            (
                Remedy("more_items", ("* unclear",), (times("verify", "items", MORE_ITEMS),)),
                Remedy("back_and_longer", ("retention below",), longer("small", 1.5), "small", 1),
            ),
        ),
    ),
    (("a night, traces of the day", "4 to 8 hours"), ("a new small model", "1 to 2 days")),
    smaller=True,
)
