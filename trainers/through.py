"""Whether a job goes through our own loop or through TRL's trainer, and whether it can.

What only TRL has is refused where our own loop would pass over it in silence; what TRL does not
have is refused where it would. Nothing here loads TRL.
"""

from __future__ import annotations

from typing import Any

from events.catalog.jobs import JobSpec
from trainers.failures import Usage

ADAPTER = "trainers.trl.adapter"
"""The module that trains through TRL, imported when a job asks for it."""

ONLY_TRL = ("use_vllm", "tools", "environment_factory", "report_to", "packing", "trl")
"""Settings that our own loops know nothing of."""
ONLY_OURS: dict[str, dict[str, tuple[Any, ...]]] = {
    "sft": {},
    "reward": {"loss": ("bce",), "trains": ("last_layer",), "reads": ("mean",)},
    "dpo": {},
    "grpo": {"normaliser": ("min_max", "rank")},
    "rlvr": {"normaliser": ("min_max", "rank"), "algorithm": ("ppo",)},
}
"""Of each trainer that TRL has too, the values of settings that it does not have."""


def goes_through_trl(settings: Any) -> bool:
    return getattr(settings, "through", "ours") == "trl"


def check_way(spec: JobSpec, settings: Any) -> None:
    """Stop with one sentence where the way that was chosen lacks something that was asked for."""
    if ":" in spec.trainer:
        return
    if spec.resources.gpus > 1:
        what = f"{spec.resources.gpus} accelerators are asked for, and our trainers use one"
        raise Usage(what, where="resources.gpus", right="1, or a trainer of your own")
    if goes_through_trl(settings):
        _check_trl(spec, settings)
        return
    for name in ONLY_TRL:
        if getattr(settings, name, None):
            there = ", ".join(ONLY_OURS)
            right = '"through": "trl"'
            if not hasattr(settings, "through"):
                right = f"leave it out, or one of {there} with {right}"
            raise Usage(
                f"only TRL's trainer has {name}", where=f"recipe.settings.{name}", right=right
            )


def _check_trl(spec: JobSpec, settings: Any) -> None:
    for name, values in ONLY_OURS[spec.trainer].items():
        if getattr(settings, name) in values:
            raise Usage(
                f"TRL has no {name} {getattr(settings, name)!r}",
                where=f"recipe.settings.{name}",
                right=f'"through": "ours", or another {name}',
            )
    if spec.trainer in ("dpo", "grpo", "rlvr") and settings.lora and _elsewhere(spec):
        raise Usage(
            "through TRL, adapters are compared with the base that they are on",
            where="reference",
            right='none, or "lora": false',
        )


def _elsewhere(spec: JobSpec) -> bool:
    return spec.reference not in (None, spec.base)
