"""Direct preference optimisation in seven stages."""

from __future__ import annotations

from pipelines.gates import at_least, at_most
from pipelines.pipeline import Pipeline, Stage
from pipelines.preferring import (
    FINAL,
    PAIRS,
    PLANNED,
    PREPARE,
    ROUNDS,
    regression_remedies,
    reward_remedies,
)
from pipelines.remedies import Remedy, longer, times

NEARER = Remedy(
    "nearer_to_the_reference",
    ("kl above", "failed unstable"),
    (times("optimise", "learning_rate", 0.5), times("optimise", "beta", 2.0)),
)

DPO = Pipeline(
    "dpo",
    "Makes a model prefer what people prefer, without a reward model in the loop.",
    (
        PREPARE,
        PAIRS,
        Stage(
            "initialise",
            "The policy begins as its reference: the same architecture, no KL between them.",
            (at_most("kl", 1e-4, counted=True), at_least("matching", 1.0, counted=True)),
        ),
        Stage(
            "model_preferences",
            "A reward model learns four fifths of the pairs and judges the rest.",
            (
                at_least("accuracy", 0.7),
                at_least("train_accuracy", 0.7),
                at_most("overfit", 0.1, counted=True),
            ),
            reward_remedies("model_preferences"),
        ),
        Stage(
            "optimise",
            "The policy raises the better side of each pair.",
            (at_most("kl", 0.1), at_least("gap", 0.15)),
            (
                NEARER,
                Remedy("longer", ("gap below",), longer("optimise", 1.5), most=1),
                Remedy("more_items", ("* unclear",), (times("optimise", "items", 2.0),)),
            ),
        ),
        Stage(
            "iterate",
            "Once more on the pairs, from where it is now, as long as that helps.",
            (at_most("kl", 0.1),),
            ROUNDS,
            trend="gain",
        ),
        Stage(
            "evaluate",
            "The best of all policies beside the baseline, on what nobody has seen.",
            (*FINAL, at_least("gap", 0.15)),
            regression_remedies("optimise"),
            made_of="best",
        ),
    ),
    PLANNED,
)
