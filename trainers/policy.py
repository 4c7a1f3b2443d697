"""A policy and what it is compared with: loaded from the disk, adapters put on, ready to learn."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch

from trainers.adapters import with_lora, without_lora
from trainers.engine import Engine
from trainers.models import load, load_reference
from trainers.run import Run


class Policy:
    """The model of a job, its engine, and the reference that KL is measured against."""

    def __init__(self, run: Run) -> None:
        settings = run.settings
        where = device_of(run)
        dtype = "float32" if where == "cpu" else settings.precision
        loaded = load(run.spec.base, dtype=dtype, device=where)
        self.tokenizer = loaded.tokenizer
        self.model = loaded.model
        if settings.gradient_checkpointing:
            self.model.gradient_checkpointing_enable()
        if settings.lora:
            self.model = with_lora(
                self.model,
                r=settings.lora_r,
                alpha=settings.lora_alpha,
                dropout=settings.lora_dropout,
                targets=settings.lora_targets,
                seed=run.spec.seed % 2**32,
            )
        self.engine = Engine(self.model, self.tokenizer)
        self._where, self._spec, self._lora = where, run.spec, settings.lora
        self._precision = settings.precision
        self._reference: Any = None

    def reference(self) -> Any:
        """What it is compared with, as a context that gives a model: the base unless told
        otherwise. With adapters on the base that is the model itself, the adapters off."""
        if self._lora and self._spec.reference in (None, self._spec.base):
            return without_lora(self.model)
        if self._reference is None:
            named = self._spec.reference or self._spec.base
            self._reference = load_reference(named, device=self._where).model
        return nullcontext(self._reference)

    def autocast(self) -> Any:
        """The precision that the job asks for, around what learns."""
        if self._precision == "float32":
            return nullcontext()
        return torch.autocast(self._where.split(":")[0], dtype=getattr(torch, self._precision))


def device_of(run: Run) -> str:
    """An accelerator where the job has one to itself, else the CPU."""
    return "cuda" if run.spec.resources.gpus and torch.cuda.is_available() else "cpu"
