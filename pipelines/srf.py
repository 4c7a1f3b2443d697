"""Supervised reinforcement fine-tuning in seven stages: a reward model, and a policy under it."""

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

SRF = Pipeline(
    "srf",
    "Learns what people prefer as a reward, and trains the policy under it by PPO.",
    (
        PREPARE,
        PAIRS,
        Stage(
            "train_reward",
            "A reward model learns four fifths of the pairs; the best checkpoint is kept.",
            (at_least("train_accuracy", 0.7), at_least("accuracy", 0.7)),
            reward_remedies("train_reward"),
        ),
        Stage(
            "validate_reward",
            "Pairs it has not seen, odd and hostile ones too: is it consistent, is it biased?",
            (
                at_least("accuracy", 0.7),
                at_most("overfit", 0.1, counted=True),
                at_least("consistency", 0.8),
            ),
            (
                Remedy(
                    "train_it_again_with_more",
                    ("accuracy below", "consistency below"),
                    (times("pairs", "prompts", 2.0),),
                    "pairs",
                    1,
                ),
                Remedy(
                    "regularise",
                    ("overfit above",),
                    longer("train_reward", 0.5),
                    "train_reward",
                ),
                Remedy(
                    "more_validation", ("* unclear",), (times("pairs", "prompts", 1.5),), "pairs"
                ),
            ),
        ),
        Stage(
            "optimise",
            "The policy earns the reward, held near its base by a KL, kept curious by entropy.",
            (
                at_most("kl", 0.1),
                at_least("entropy", 0.5),
                at_most("entropy", 2.0),
                at_least("reward_gain", 0.0),
            ),
            (
                Remedy(
                    "nearer_to_the_base",
                    ("kl above", "failed unstable"),
                    (times("optimise", "learning_rate", 0.5), times("optimise", "beta", 2.0)),
                ),
                Remedy(
                    "more_curious",
                    ("entropy below",),
                    (
                        times("optimise", "reward_scale", 0.5),
                        times("optimise", "entropy_coef", 2.0),
                    ),
                ),
                Remedy(
                    "less_scattered",
                    ("entropy above",),
                    (
                        times("optimise", "reward_scale", 2.0),
                        times("optimise", "entropy_coef", 0.5),
                    ),
                ),
                Remedy("longer", ("reward_gain below",), longer("optimise", 1.5), most=1),
                Remedy("more_items", ("* unclear",), (times("optimise", "items", 2.0),)),
            ),
        ),
        Stage(
            "iterate",
            "Once more under the reward, as long as that helps.",
            (at_most("kl", 0.1),),
            ROUNDS,
            trend="gain",
        ),
        Stage(
            "evaluate",
            "The best of all policies beside the baseline, on what nobody has seen.",
            (*FINAL, at_least("accuracy", 0.7)),
            regression_remedies("optimise"),
            made_of="best",
        ),
    ),
    PLANNED,
)
