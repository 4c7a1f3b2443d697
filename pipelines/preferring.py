"""What `dpo` and `srf` share: a base to begin from, pairs to learn from, a proof at the end."""

from __future__ import annotations

from pipelines.gates import Check, at_least, at_most
from pipelines.pipeline import Stage
from pipelines.remedies import Remedy, lighter, longer, plus, quicker, times

PREPARE = Stage(
    "prepare",
    "Fine-tunes the base on drafts, and measures it: the baseline of all that follows.",
    (at_least("score", 0.2),),
    (
        Remedy("longer_imitation", ("score below",), longer("prepare", 2.0)),
        Remedy(
            "smaller_imitation", ("failed unstable",), (times("prepare", "learning_rate", 0.5),)
        ),
        lighter("prepare"),
        quicker("prepare"),
        Remedy("more_items", ("* unclear",), (times("prepare", "items", 2.0),)),
    ),
)

PAIRS = Stage(
    "pairs",
    "Several answers to each prompt, which one is better, and nothing that evaluations ask.",
    (
        at_least("gap", 0.15),
        at_least("pairs", 1000, counted=True),
        at_least("decontamination", 0.9, counted=True),
    ),
    (
        Remedy(
            "more_diverse_answers",
            ("gap below", "gap unclear"),
            (plus("pairs", "temperature", 0.2), plus("pairs", "samples", 2)),
        ),
        Remedy("more_prompts", ("pairs below",), (times("pairs", "prompts", 2.0),)),
        Remedy("other_prompts", ("decontamination below",), (plus("pairs", "seed", 1),)),
    ),
    takes="pairs",
)

REWARD: tuple[Check, ...] = (
    at_least("train_accuracy", 0.7),
    at_least("accuracy", 0.7),
    at_most("overfit", 0.1),
)
"""Of a reward model: right with what it knows and with what it does not know, nearly alike."""

FINAL: tuple[Check, ...] = (
    at_least("retention", 0.95),
    at_most("areas_lost", 0, counted=True),
    at_least("improvement", 0.0),
    at_least("win_rate", 0.5),
    at_most("kl", 0.1),
    at_least("clean", 1.0, counted=True),
)
"""No capability lost, better than it was, not far from it, and nothing leaked."""


HELD_OUT = ("gap unclear", "accuracy unclear")
"""Figures of the pairs that were held back: asking more problems would tell no more of them."""


def reward_remedies(stage: str) -> tuple[Remedy, ...]:
    """What helps a reward model that is trained in this stage."""
    return (
        Remedy(
            "more_pairs",
            ("accuracy below", "train_accuracy below"),
            (times("pairs", "prompts", 2.0), *longer(stage, 1.5)),
            "pairs",
        ),
        Remedy(
            "regularise",
            ("overfit above",),
            (*longer(stage, 0.5), plus(stage, "weight_decay", 0.05)),
            stage,
        ),
        Remedy("calmer_reward_model", ("failed unstable",), (times(stage, "learning_rate", 0.5),)),
        lighter(stage),
        quicker(stage),
        Remedy("more_validation", ("* unclear",), (times("pairs", "prompts", 1.5),), "pairs"),
    )


def regression_remedies(optimise: str) -> tuple[Remedy, ...]:
    """What is done when the end shows that something was lost, or nothing won."""
    return (
        Remedy(
            "back_and_more_gradual",
            ("retention below", "areas_lost above", "kl above"),
            (times(optimise, "learning_rate", 0.5), times(optimise, "beta", 2.0)),
            optimise,
        ),
        Remedy(
            "better_pairs",
            (
                "win_rate below", "improvement below", "clean below", "gap below",
                "accuracy below", "aligned below", "people below",
            ),
            (plus("pairs", "seed", 1),),
            "pairs",
            1,
        ),
        Remedy("longer_for_the_role", ("score below",), longer(optimise, 1.5), optimise, 1),
        Remedy("ask_more_people", ("people unclear",), (times("evaluate", "people", 2.0),)),
        Remedy("more_held_out_pairs", HELD_OUT, (times("pairs", "prompts", 1.5),), "pairs", 1),
        Remedy(
            "more_items",
            ("* unclear",),
            (times("evaluate", "items", 2.0),),
            but=(*HELD_OUT, "people unclear"),
        ),
    )  # fmt: skip


ROUNDS = (
    Remedy(
        "smaller_rounds",
        ("kl above", "failed unstable"),
        (times("iterate", "learning_rate", 0.5), times("iterate", "beta", 2.0)),
        most=1,
    ),
    Remedy("more_items", ("* unclear",), (times("iterate", "items", 2.0),), most=1),
    Remedy(
        "without_another_round",
        ("kl above", "kl unclear", "failed unstable", "failed no_memory", "failed out_of_time"),
        most=1,
        skips=True,
    ),
)
"""Of further rounds: smaller ones, and where that does not do, none."""

PLANNED = (
    ("one iteration, a small model, data at hand", "1 to 2 weeks"),
    ("several iterations", "4 to 8 weeks"),
    ("large models, research", "2 to 6 months"),
)
