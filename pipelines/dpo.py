"""Direct preference optimisation in seven stages."""

from __future__ import annotations

from pipelines.gates import at_least, at_most
from pipelines.pipeline import Pipeline, Stage
from pipelines.preferring import (
    FINAL,
    PAIRS,
    PLANNED,
    PREPARE,
    REWARD,
    ROUNDS,
    regression_remedies,
    reward_remedies,
)
from pipelines.remedies import Remedy, lighter, longer, plus, quicker, times

NEARER = Remedy(
    "nearer_to_the_reference",
    ("kl above", "failed unstable"),
    (times("optimise", "learning_rate", 0.5), times("optimise", "beta", 2.0)),
)

LITTLE = ("gap below", "gap unclear", "preference_accuracy below", "preference_accuracy unclear")
"""It has learned too little to tell; more problems would not tell more of the pairs held back."""

DPO = Pipeline(
    "dpo",
    "Makes a model prefer what people prefer, without a reward model in the loop.",
    (
        PREPARE,
        PAIRS,
        Stage(
            "initialise",
            "The policy begins as its reference: weights of the same names and shapes, the same"
            " words, no KL between them.",
            (at_most("kl", 1e-4), at_least("matching", 1.0, counted=True)),
        ),
        Stage(
            "model_preferences",
            "A reward model learns four fifths of the pairs and judges the rest.",
            REWARD,
            reward_remedies("model_preferences"),
        ),
        Stage(
            "optimise",
            "The policy raises the better side of each pair; what it prefers of pairs that were"
            " held back is weighed by the beta of its profile.",
            (at_most("kl", 0.1), at_least("gap", 0.15), at_least("preference_accuracy", 0.5)),
            (
                NEARER,
                Remedy(
                    "longer",
                    LITTLE,
                    longer("optimise", 1.5),
                    most=1,
                ),
                Remedy(
                    "pairs_without_doubt",
                    LITTLE,
                    (plus("optimise", "filter", 1),),
                    most=1,
                ),
                lighter("optimise"),
                quicker("optimise"),
                Remedy(
                    "more_items", ("* unclear",), (times("optimise", "items", 2.0),), but=LITTLE
                ),
            ),
        ),
        Stage(
            "iterate",
            "Pairs of what it still does badly, and once more on them, as long as that helps.",
            (at_most("kl", 0.1),),
            ROUNDS,
            trend="gain",
        ),
        Stage(
            "evaluate",
            "The best of all policies beside the baseline, on what nobody has seen.",
            (*FINAL, at_least("gap", 0.15)),
            (
                Remedy("longer_on_pairs", ("gap unclear",), longer("optimise", 1.5), "optimise", 1),
                *regression_remedies("optimise"),
            ),
            made_of="best",
            people=True,
        ),
    ),
    PLANNED,
)
