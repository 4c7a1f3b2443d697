"""Groups of settings that several trainers share; each trainer's own class is in recipes.py.

What trainers on TRL are given there under another name keeps its name here: use_vllm, vllm_mode,
tools, environment_factory, report_to.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from events.documented import Documented

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
ImportPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
Url = Annotated[str, StringConstraints(pattern=r"^(https?://\S+)?$", max_length=500)]


class Learning(Documented):
    """How far, how fast and how carefully the weights move."""

    learning_rate: Rate
    """Size of a step where all weights are trained."""
    lora_learning_rate: Rate | None = None
    """Size of a step where only adapters are trained; null takes learning_rate."""
    steps: Count | None = None
    """Optimizer steps; null goes by epochs."""
    epochs: Count = 1
    """Passages through the rows, where steps is null."""
    batch: Count
    """Rows, pairs or prompts that one optimizer step learns from."""
    microbatch: Annotated[int, Field(ge=0)] = 0
    """Rows on the machine at once, gradients summed up to the batch; 0 measures what fits."""
    warmup_share: Share = 0.0
    """Share of the steps in which the learning rate rises to its full size."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rate falls from there."""
    weight_decay: Share = 0.0
    """Pull of all weights towards zero."""
    max_grad_norm: Positive = 1.0
    """Gradients longer than this are shortened to it."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """What matrices are multiplied in; what learns is float32, a base under adapters as it was."""
    gradient_checkpointing: bool = False
    """Compute activations twice rather than keep them: less memory, a third more time."""
    max_length: Count = 1024
    """Tokens of a prompt and its completion; longer rows are left out and counted."""
    save_every: Count = 100
    """Steps between checkpoints."""
    report_to: tuple[str, ...] = ()
    """Experiment trackers that TRL reports to beside us, such as tensorboard."""

    @property
    def rate(self) -> float:
        """The learning rate that counts."""
        adapted = getattr(self, "lora", False) and self.lora_learning_rate
        return self.lora_learning_rate or self.learning_rate if adapted else self.learning_rate


class Routed(Documented):
    """Whose loop trains."""

    through: Literal["ours", "trl"] = "ours"
    """Our own loop; or TRL's trainer, for what ours does not have: vLLM, tools, trackers."""
    trl: dict[str, JsonValue] = Field(default_factory=dict)
    """Through TRL: further fields of its config by their own names, put over what we set."""


class Adapting(Documented):
    """Adapters (LoRA): train a small part beside weights that stay as they are."""

    lora: bool
    """Train adapters, not the weights themselves."""
    lora_r: Annotated[int, Field(ge=1, le=1024)] = 16
    """Rank of the adapters."""
    lora_alpha: Annotated[int, Field(ge=1, le=4096)] = 32
    """Weight of the adapters; what counts is alpha divided by rank."""
    lora_dropout: Share = 0.1
    """Share of an adapter's inputs dropped while it imitates or scores: in sft, reward, distill
    from traces and supervised srl. Where policies are compared nothing is dropped."""
    lora_targets: tuple[str, ...] = ("all-linear",)
    """Layers that get an adapter, by name, or all-linear."""


class Sampling(Documented):
    """Samples that the policy draws to learn from."""

    samples: Annotated[int, Field(ge=2, le=1024)] = 8
    """Completions for each prompt: the group that each of them is compared with."""
    max_new: Count = 512
    """Tokens that a completion may have."""
    temperature: Positive = 1.0
    """Spread of sampling; at other values than 1 a measured KL is not that of the policy."""
    mask_truncated: bool = False
    """Learn nothing from completions that were cut off."""
    use_vllm: bool = False
    """Draw the samples with vLLM, which must be installed."""
    vllm_mode: Literal["colocate", "server"] = "colocate"
    """Whether vLLM shares our accelerator or runs elsewhere."""
    vllm_server_base_url: Url = ""
    """Where vLLM runs, in server mode."""
    tools: tuple[ImportPath, ...] = ()
    """Functions that the model may call while it answers, as package.module:function."""
    environment_factory: ImportPath | Literal[""] = ""
    """What makes an environment of several turns, as package.module:function."""
    judge_url: Url = ""
    """A judge that scores completions; a loopback address, since a job holds no keys."""


class Clipping(Documented):
    """How far one update may move away from the policy that drew the samples."""

    beta: NotNegative
    """Weight of the KL to the reference."""
    clip: Positive = 0.2
    """How far the ratio of probabilities may fall below 1 and still count."""
    clip_high: Positive | None = None
    """How far it may rise above 1; null is the same as clip."""
    iterations: Annotated[int, Field(ge=1, le=64)] = 1
    """Passages through one batch of samples."""
