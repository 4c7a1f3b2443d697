"""SRL and then RLVR: an expert's steps first, outcomes after them, and a proof at the end."""

from __future__ import annotations

from pipelines.gates import at_least, at_most
from pipelines.pipeline import Pipeline, Stage
from pipelines.remedies import Remedy, lighter, longer, plus, quicker, times

MORE_ITEMS = 2.0
"""By how much more held-out problems are asked where the answer is not clear."""

SRL_RLVR = Pipeline(
    "srl_rlvr",
    "Teaches a role's steps by imitation of an expert's, then rewards right outcomes.",
    (
        Stage(
            "data",
            "The data generator makes expert trajectories for this run.",
            (at_least("quality", 0.95, counted=True), at_least("rows", 100, counted=True)),
            (
                Remedy(
                    "other_examples",
                    ("quality below", "rows below", "failed rejected"),
                    (plus("data", "seed", 1),),
                ),
            ),
            asks="data",
            rows=400,
            takes="trajectories",
        ),
        Stage(
            "baseline",
            "The model as it is answers held-out problems.",
            (at_least("sampled", 0.0),),
        ),
        Stage(
            "srl",
            "Step by step, actions are rewarded by how like the expert's they are.",
            (at_most("kl", 0.1), at_least("gain", -0.05)),
            (
                Remedy(
                    "smaller_steps",
                    ("kl above", "failed unstable"),
                    (times("srl", "learning_rate", 0.5), times("srl", "beta", 2.0)),
                ),
                Remedy(
                    "better_examples",
                    ("gain below",),
                    (plus("data", "seed", 1), times("data", "rows", 1.5)),
                    "data",
                    1,
                ),
                lighter("srl"),
                quicker("srl"),
                Remedy("more_items", ("* unclear",), (times("srl", "items", MORE_ITEMS),)),
            ),
        ),
        Stage(
            "rlvr",
            "Whole answers are rewarded where they are right; the SRL model holds them near.",
            (at_most("kl", 0.1), at_least("entropy_relative", 0.5), at_least("gain", -0.05)),
            (
                Remedy(
                    "smaller_steps_on_outcomes",
                    ("kl above", "failed unstable", "entropy_relative below"),
                    (times("rlvr", "learning_rate", 0.5), times("rlvr", "beta", 2.0)),
                ),
                Remedy("more_srl", ("failed not_ready",), longer("srl", 2.0), "srl"),
                Remedy("gentler", ("gain below",), (times("rlvr", "learning_rate", 0.5),), most=1),
                lighter("rlvr"),
                quicker("rlvr"),
                Remedy("more_items", ("* unclear",), (times("rlvr", "items", MORE_ITEMS),)),
            ),
        ),
        Stage(
            "verify",
            "The best of them and the baseline answer problems that nobody has seen.",
            (at_least("improvement", 0.0), at_least("retention", 0.95)),
            (
                Remedy("more_items", ("* unclear",), (times("verify", "items", MORE_ITEMS),)),
                Remedy(
                    "back_and_gentler",
                    ("improvement below", "retention below"),
                    (times("srl", "learning_rate", 0.5), times("rlvr", "learning_rate", 0.5)),
                    "srl",
                    1,
                ),
                Remedy("longer_for_the_role", ("sampled below",), longer("rlvr", 1.5), "rlvr", 1),
            ),
            made_of="best",
        ),
    ),
    (("SRL, 1,000 examples", "2 to 5 hours"), ("RLVR, 500 examples", "1 to 3 hours")),
)
