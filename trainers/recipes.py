"""What can be set for each trainer: one frozen class each, every field with its sentence.

A job's settings are those of a profile with its own put over them. Nothing else is taken: a key
that no field has is an error that names the one that was probably meant.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, StringConstraints, ValidationError

from events.catalog.jobs import Recipe
from events.documented import Documented, sentences
from events.suggest import malformed, near
from trainers.failures import Usage
from trainers.profiles import PROFILES
from trainers.settings import (
    Adapting,
    Clipping,
    Count,
    Learning,
    NotNegative,
    Positive,
    Routed,
    Sampling,
    Share,
)

Normaliser = Literal["z_score", "min_max", "rank", "none"]
S = TypeVar("S", bound=Documented)

End = Annotated[str, StringConstraints(max_length=100)]
RewardFrom = Literal["verifier", "reward_model", "judge"]


class Sft(Learning, Adapting, Routed):
    """Imitate completions."""

    loss: Literal["nll", "dft"] = "nll"
    """Plain likelihood, or weighted by the model's own probability, which forgets less."""
    completion_only: bool = True
    """Learn the completion only, not the prompt."""
    packing: bool = False
    """Through TRL: fill each sequence with several rows."""
    end: End = ""
    """What every completion has to end with; empty asks nothing, the end token is added."""


class Reward(Learning, Adapting, Routed):
    """Learn to score: which of two completions is the better one."""

    loss: Literal["bradley_terry", "bce"] = "bradley_terry"
    """Of pairs, or of single completions with a label of 0 or 1."""
    trains: Literal["all", "last_layer"] = "all"
    """The whole model, or only the layer that gives the score."""
    reads: Literal["last", "mean"] = "last"
    """Where the score is read: at the last token, or as the mean over all; small models find what
    tells two texts apart far sooner when they are read as a whole."""
    centre: NotNegative = 0.01
    """Pull of all scores towards zero, so that they stay comparable."""


class Dpo(Learning, Adapting, Routed):
    """Prefer the chosen to the rejected, without a reward model."""

    beta: Positive
    """Weight of the reference: the smaller, the further the policy may go."""
    losses: tuple[str, ...] = ("sigmoid",)
    """Kinds of loss by TRL's names, mixed where there are several."""
    loss_weights: tuple[float, ...] = ()
    """Weights of those kinds; empty is 1 for each."""
    label_smoothing: Share = 0.0
    """Share of the pairs that may be labelled the wrong way round."""


class Grpo(Learning, Adapting, Sampling, Clipping, Routed):
    """Compare the samples of a group with each other; no critic."""

    variant: Literal["grpo", "rloo", "dr_grpo", "dapo", "cispo", "gspo"] = "grpo"
    """How samples are compared and summed."""
    reward: RewardFrom = "verifier"
    """Who scores: the verifier of the model type, a reward model, or a judge."""
    reward_model: str = ""
    """The folder of the reward model."""
    normaliser: Normaliser = "z_score"
    """How the rewards of a group become advantages."""
    entropy_coef: NotNegative = 0.0
    """Bonus for an undecided policy."""


class Ppo(Learning, Adapting, Sampling, Clipping):
    """Policy gradient with a critic, ours in torch."""

    reward: RewardFrom = "reward_model"
    """Who scores: the verifier of the model type, a reward model, or a judge."""
    reward_model: str = ""
    """The folder of the reward model."""
    reward_scale: Positive = 1.0
    """What the reward is multiplied with."""
    gamma: Share = 0.99
    """What a reward is worth one token earlier."""
    gae_lambda: Share = 0.95
    """Between the critic's word (0) and what really came (1)."""
    value_clip: Positive | None = 0.2
    """How far the critic may move in one update; null does not hold it."""
    value_coef: NotNegative = 0.5
    """Weight of the critic's loss."""
    value_rate_ratio: Positive = 10.0
    """Learning rate of the value head, as a multiple."""
    entropy_coef: NotNegative = 0.01
    """Bonus for an undecided policy."""
    minibatches: Count = 2
    """Parts of a batch of samples, each with an update of its own."""
    whiten: bool = True
    """Bring advantages to mean 0 and spread 1."""
    a2c: bool = False
    """One passage, nothing clipped: plain advantage actor critic."""


class Srl(Learning, Adapting, Sampling, Clipping):
    """Learn an expert's steps: think freely, then act; the action is compared with the expert's."""

    mode: Literal["stepwise", "supervised"] = "stepwise"
    """Reinforcement on each step, or imitation weighted by the steps' rewards."""
    normaliser: Normaliser = "z_score"
    """How the rewards of a group become advantages."""
    format_weight: NotNegative = 1.0
    """Weight of the reward for a well-formed answer, a reward of its own."""
    similarity_weight: NotNegative = 1.0
    """Weight of the likeness of the action to the expert's."""
    step_weights: bool = False
    """Weigh each step by its reward in the expert's trajectory."""
    least_spread: NotNegative = 0.01
    """A group whose rewards differ less teaches nothing and is drawn anew."""
    resample: Annotated[int, Field(ge=0, le=64)] = 2
    """Rounds of drawing until the batch is full of groups that teach something."""
    kl_controller: Literal["fixed", "adaptive"] = "fixed"
    """Keep beta, or move it so that the KL comes to kl_target."""
    kl_target: Positive = 0.05
    """KL in nats per token that an adaptive beta aims at."""


class Rlvr(Learning, Adapting, Sampling, Clipping, Routed):
    """Learn from outcomes that a verifier can check."""

    algorithm: Literal["grpo", "rloo", "ppo"]
    """How the outcome moves the policy."""
    normaliser: Normaliser = "z_score"
    """How the rewards of a group become advantages, without a critic."""
    format_weight: NotNegative = 0.0
    """Weight of a reward for form alone; much of it invites answers that only look right."""
    gamma: Share = 0.99
    """What a reward is worth one token earlier, with ppo."""
    gae_lambda: Share = 0.95
    """Between the critic's word (0) and what really came (1), with ppo."""
    value_coef: NotNegative = 0.5
    """Weight of the critic's loss, with ppo."""
    entropy_coef: NotNegative = 0.01
    """Bonus for an undecided policy."""
    entry_problems: Count = 32
    """Problems of the entry test."""
    entry_zero_variance: Share = 0.5
    """Entry: at most this share of groups may be all right or all wrong."""
    entry_success: Share = 0.1
    """Entry: at least this share of samples must be right."""


class Distill(Learning, Adapting, Sampling):
    """Learn from a larger model: from its written traces, or from its view of our own samples."""

    mode: Literal["traces", "on_policy"] = "traces"
    """Imitate completions that the teacher wrote; or, on policy, come near to what it thinks of
    each token that the student writes. The teacher is the job's reference."""
    samples: Annotated[int, Field(ge=1, le=1024)] = 1
    """Completions that the student writes for each prompt, on policy."""
    divergence: Share = 1.0
    """On policy: forward KL (0), reverse KL (1), or the Jensen-Shannon divergence between them; of
    both distributions at the temperature of sampling."""
    on_policy_share: Share = 1.0
    """On policy: share of the steps that take what the student writes; the others take traces."""
    end: End = ""
    """What every trace has to end with; empty asks nothing, the end token is added."""
    layers: Count | None = None
    """The student is cut out of the base first: so many of its layers, spread evenly, stay."""
    neurons: Share = 1.0
    """Of those layers the share of neurons that stays, the heaviest ones."""


class Measure(Documented):
    """Change nothing: measure a model, or have it write samples."""

    of: Literal["answers", "pairs", "scores", "samples", "likelihood", "speed"] = "answers"
    """Answers to problems; pairs beside a reference; pairs by a reward model; samples alone; how
    likely written completions are; or how long answers take."""
    reward_model: str = ""
    """Of answers: the folder of a reward model that scores them too."""
    samples: Annotated[int, Field(ge=1, le=1024)] = 4
    """Completions of each prompt."""
    max_new: Count = 256
    """Tokens that a completion may have."""
    max_length: Count = 1024
    """Tokens of a prompt and its completion, for a reward model."""
    temperature: Positive = 1.0
    """Spread of the samples."""
    beta: Positive = 0.1
    """Weight of the reference in the gap of pairs."""


class Begin(Documented):
    """Make a tiny base to begin from."""

    level: Share = 0.35
    """Share of problems that its likeliest answers have right before it is good enough."""
    size: Literal["small", "tiny"] = "small"
    """How large it is."""


class Harness(Documented):
    """Change nothing: ask a model the rows of a benchmark's task."""

    through: Literal["ours", "lm_eval"] = "ours"
    """Our own loop, or EleutherAI's harness, of the extra `harness`."""
    max_new: Count = 512
    """Tokens that a written answer may have."""


SETTINGS: dict[str, type[Documented]] = {
    "sft": Sft,
    "reward": Reward,
    "dpo": Dpo,
    "grpo": Grpo,
    "ppo": Ppo,
    "srl": Srl,
    "rlvr": Rlvr,
    "distill": Distill,
    "measure": Measure,
    "begin": Begin,
    "harness": Harness,
}


def settings_of(recipe: Recipe) -> Any:
    """All settings of one of our trainers, checked."""
    kind = SETTINGS.get(recipe.trainer)
    if kind is None:
        meant = near(recipe.trainer, SETTINGS)
        raise Usage(
            f"there is no trainer {recipe.trainer!r}",
            where="recipe.trainer",
            right=f"did you mean {meant!r}?"
            if meant
            else f"one of {', '.join(SETTINGS)}, or your own as package.module:function",
        )
    chosen = {**PROFILES[recipe.trainer][recipe.profile], **recipe.settings}
    return checked(kind, chosen)


def checked(kind: type[S], chosen: dict[str, Any]) -> S:
    """As an instance; the error of a wrong key or value names what would be right."""
    try:
        return kind.model_validate_json(json.dumps(chosen))
    except ValidationError as error:
        wrong = malformed(kind, error)
        where = f"recipe.settings.{wrong.where}" if wrong.where else "recipe.settings"
        raise Usage(wrong.what, where=where, right=wrong.right) from None


def described(kind: type[Documented]) -> dict[str, str]:
    """The sentence of each field, those of its groups included."""
    kinds = [one for one in reversed(kind.__mro__) if issubclass(one, Documented)]
    return {name: text for one in kinds for name, text in sentences(one).items()}
