"""A policy and what it is compared with: loaded from the disk, adapters put on, ready to learn.

Whatever learns is float32, since a step of a millionth is rounded away in bfloat16: all weights, or
the adapters on a base that stays as its files have it. What that base learned before would be
rounded away too, so float32 is not made less. Matrices are multiplied in the job's precision.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from trainers.adapters import with_lora, without_lora
from trainers.engine import Engine
from trainers.failures import Usage
from trainers.models import KEPT, load, load_reference
from trainers.run import Run


class Policy:
    """The model of a job, its engine, and the reference that KL is measured against."""

    def __init__(self, run: Run) -> None:
        settings = run.settings
        self.device = device_of(run)
        low = settings.lora and settings.precision != "float32"
        self._dtype = KEPT if low else "float32"
        loaded = load(run.spec.base, dtype=self._dtype, device=self.device)
        self.tokenizer = loaded.tokenizer
        self.model = loaded.model
        if settings.gradient_checkpointing:
            _recompute(self.model)
        if settings.lora:
            self.model = with_lora(
                self.model,
                r=settings.lora_r,
                alpha=settings.lora_alpha,
                dropout=settings.lora_dropout,
                targets=settings.lora_targets,
                seed=run.spec.seed % 2**32,
            )
        self.model.eval()
        self.engine = Engine(self.model, self.tokenizer)
        self._spec, self._lora = run.spec, settings.lora
        self._precision = settings.precision
        self._reference: Any = None

    def learns(self, dropout: bool) -> None:
        """Have it learn from here on; what was asked to be computed twice is, either way.

        Who imitates or scores learns with dropout. Who compares probabilities of one text under two
        policies learns without: with it, a policy differs from itself.
        """
        self.model.train(dropout)
        if not dropout:
            for layer in layers_of(self.model):
                _without_dropout(layer)
                layer.training = layer.gradient_checkpointing  # of the layer alone, not within it

    def reference(self) -> Any:
        """What it is compared with, as a context that gives a model: the base unless told
        otherwise. With adapters on the base that is the model itself, the adapters off."""
        if self._lora and self._spec.reference in (None, self._spec.base):
            return without_lora(self.model)
        if self._reference is None:
            named = self._spec.reference or self._spec.base
            self._reference = load_reference(named, dtype=self._dtype, device=self.device).model
        return nullcontext(self._reference)

    def measured_against(self) -> Engine:
        """The reference as it answers and judges."""
        if self._lora and self._spec.reference in (None, self._spec.base):
            return Bare(self.model, self.tokenizer)
        with self.reference() as model:
            return Engine(model, self.tokenizer)

    def autocast(self) -> Any:
        """The precision that the job asks for, around what learns."""
        return autocast(self.device, self._precision)


class Bare(Engine):
    """A policy as it is without its adapters, whenever it is asked how likely a text is."""

    def _logits(self, part: Any) -> Any:
        with without_lora(self.model):
            return super()._logits(part)


def autocast(device: str, precision: str) -> Any:
    """Matrices are multiplied in this precision; weights, sums and losses stay as they are."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.split(":")[0], dtype=getattr(torch, precision))


def device_of(run: Run) -> str:
    """An accelerator where the job has one to itself, else the CPU."""
    return "cuda" if run.spec.resources.gpus and torch.cuda.is_available() else "cpu"


def layers_of(model: Any) -> list[Any]:
    """Those whose activations can be computed twice."""
    return [one for one in model.modules() if isinstance(one, GradientCheckpointingLayer)]


def _recompute(model: Any) -> None:
    try:
        model.activation_checkpointing_enable()
        able = bool(layers_of(model))
    except ValueError:
        able = False
    if not able:
        raise Usage(
            f"the activations of a {type(model).__name__} cannot be computed twice",
            where="recipe.settings.gradient_checkpointing",
            right="false",
        )


def _without_dropout(layer: Any) -> None:
    """Some layers drop by a number of their own, whenever they themselves are learning."""
    for name, value in vars(layer).items():
        if "dropout" in name and isinstance(value, float):
            setattr(layer, name, 0.0)
