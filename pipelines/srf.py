"""Supervised reinforcement fine-tuning in seven stages: a reward model, and a policy under it."""

from __future__ import annotations

from pipelines.gates import at_least, at_most
from pipelines.length import SWAY
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
from pipelines.remedies import Remedy, lighter, longer, quicker, times

SRF = Pipeline(
    "srf",
    "Learns what people prefer as a reward, and trains the policy under it by PPO.",
    (
        PREPARE,
        PAIRS,
        Stage(
            "train_reward",
            "A reward model learns four fifths of the pairs; the best checkpoint is kept.",
            REWARD,
            reward_remedies("train_reward"),
        ),
        Stage(
            "validate_reward",
            "Pairs it has not seen, odd and hostile ones too: is it consistent, is it biased?",
            (
                at_least("accuracy", 0.7),
                at_most("overfit", 0.1),
                at_least("consistency", 0.75),
                at_least("clearer", 0.0),
                at_least("steady", 0.75),
                at_most("length_sway", SWAY),
            ),
            (
                Remedy(
                    "longer_until_length_has_no_say",
                    ("length_sway above", "length_sway unclear"),
                    longer("train_reward", 1.5),
                    "train_reward",
                    1,
                ),
                Remedy(
                    "train_it_again_with_more",
                    (
                        "accuracy below",
                        "consistency below",
                        "clearer below",
                        "steady below",
                        "length_sway above",
                    ),
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
                    "more_fresh_pairs", ("* unclear",), (times("validate_reward", "items", 2.0),)
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
                at_least("gain", 0.0),
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
                Remedy(
                    "a_reward_that_means_it",
                    ("gain below",),
                    (times("pairs", "prompts", 2.0),),
                    "pairs",
                    1,
                ),
                lighter("optimise"),
                quicker("optimise"),
                Remedy("more_items", ("* unclear",), (times("optimise", "items", 2.0),)),
            ),
        ),
        Stage(
            "iterate",
            "Pairs of what it still does badly; the reward learns them, then the policy under it.",
            (at_most("kl", 0.1),),
            ROUNDS,
            trend="gain",
        ),
        Stage(
            "evaluate",
            "The best of all policies beside the baseline, on what nobody has seen.",
            (*FINAL, at_least("accuracy", 0.7), at_least("aligned", 0.0)),
            regression_remedies("optimise"),
            made_of="best",
            people=True,
        ),
    ),
    PLANNED,
)
