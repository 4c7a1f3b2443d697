"""Adapters (LoRA): put on a model, switched off for a while, merged into weights, saved alone."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from trainers.failures import BadBase, Usage

ALL_LINEAR = ("all-linear",)


def with_lora(
    model: Any,
    *,
    r: int = 16,
    alpha: int = 32,
    dropout: float = 0.0,
    targets: Sequence[str] = ALL_LINEAR,
    seed: int = 0,
) -> Any:
    """The model with fresh adapters, which alone learn; at first they change nothing."""
    config = LoraConfig(
        r=r,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules="all-linear" if tuple(targets) == ALL_LINEAR else list(targets),
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(), _quiet():
        torch.manual_seed(seed)
        try:
            return get_peft_model(model, config)
        except ValueError as error:
            named = ", ".join(targets)
            raise Usage(
                f"no adapters can be put on the layers {named}",
                where="lora_targets",
                right=" ".join(str(error).split())[:300],
            ) from None


@contextmanager
def without_lora(model: Any) -> Iterator[Any]:
    """The model as it is without its adapters: what they were put on, nothing before that."""
    with model.disable_adapter():
        yield model


def merged(model: Any) -> Any:
    """An ordinary model with the adapters in its weights; the one that learns stays as it is.

    It is a fresh instance that was given the weights: a copy would go on computing with those of
    the original, once a Trainer has been there. Its weights are float32 whatever the base is kept
    in, where small adapters would be rounded away.
    """
    if not isinstance(model, PeftModel):
        return model
    causal = model.get_base_model()
    weights = copy.deepcopy(model).float().merge_and_unload().state_dict()
    fresh = type(causal)(copy.deepcopy(causal.config)).float()
    fresh.load_state_dict(weights)
    fresh.generation_config = copy.deepcopy(causal.generation_config)
    return fresh.to(causal.device).eval()


def attached(base: Any, folder: Path) -> Any:
    """The base with the adapters in this folder, merged."""
    try:
        with _quiet():
            found = PeftModel.from_pretrained(base, folder, local_files_only=True)
        return merged(found)
    except (ValueError, RuntimeError, KeyError, OSError, TypeError) as error:
        said = " ".join(str(error).split())[:300]
        raise BadBase(
            f"the adapters do not fit their base ({said})",
            where=str(folder),
            right="the base that they were trained on",
        ) from error


def write_adapter(place: Path, model: Any) -> None:
    """The adapters alone, as peft loads them; they name the folder of their base."""
    if not isinstance(model, PeftModel):
        raise Usage("the model has no adapters", where="lora", right="a model from with_lora")
    model.save_pretrained(place)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without one warning: peft asks transformers by a name that is going to be another."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield
