"""A smaller model cut out of a larger one: whole layers left out, or neurons of those that stay.

What stays is spread evenly over the layers, the first and the last among them; of neurons the
heaviest stay, by the product of what leads into them and out of them. Cut like this a model says
nothing sensible any more, but it learns it again far sooner than one that begins with chance, and
it has the tokens of the one that it was cut from.
"""

from __future__ import annotations

import copy
import re
from typing import Any

import torch

from trainers.failures import BadBase

LAYER = re.compile(r"(.*\.(?:layers|h|blocks)\.)(\d+)(\..*)")
INTO, OUT = ("gate_proj", "up_proj"), "down_proj"


def cut(model: Any, layers: int, neurons: float = 1.0) -> Any:
    """A model with so many of the layers, and that share of their neurons; this one stays whole."""
    config = copy.deepcopy(model.config)
    there = int(config.num_hidden_layers)
    if not 1 <= layers <= there:
        what = f"no {layers} layers can be left of {there}"
        raise BadBase(what, where="layers", right=f"from 1 to {there}")
    stay = evenly(there, layers)
    weights = {
        name: one
        for full, one in model.state_dict().items()
        if (name := _renamed(full, stay)) is not None
    }
    config.num_hidden_layers = layers
    if kinds := getattr(config, "layer_types", None):
        config.layer_types = [kinds[place] for place in stay]
    if neurons < 1:
        width = max(1, round(neurons * (getattr(config, "intermediate_size", None) or 0)))
        weights = _narrowed(weights, layers, width)
        config.intermediate_size = width
    made = type(model)(config).to(next(model.parameters()).dtype)
    missing, unknown = made.load_state_dict(weights, strict=False)
    if unknown or [one for one in missing if not _tied(made, one)]:
        what = f"a {type(model).__name__} cannot be cut: {(missing or unknown)[0]}"
        raise BadBase(what, where="layers", right="a model of plain layers")
    made.generation_config = copy.deepcopy(model.generation_config)
    return made.eval()


def evenly(there: int, stay: int) -> list[int]:
    """The places that stay: both ends where there are two, the first where there is one."""
    if stay == 1:
        return [0]
    return [round(place * (there - 1) / (stay - 1)) for place in range(stay)]


def _renamed(name: str, stay: list[int]) -> str | None:
    """What a weight is called now; None where its layer is left out."""
    found = LAYER.fullmatch(name)
    if found is None:
        return name
    place = int(found[2])
    return f"{found[1]}{stay.index(place)}{found[3]}" if place in stay else None


def _narrowed(weights: dict[str, Any], layers: int, width: int) -> dict[str, Any]:
    """With the heaviest neurons of each layer alone."""
    found = dict(weights)
    for name in weights:
        if not name.endswith(f"{OUT}.weight"):
            continue
        before = name.removesuffix(f"{OUT}.weight")
        into = [f"{before}{one}.weight" for one in INTO if f"{before}{one}.weight" in weights]
        heavy = weights[name].norm(dim=0)
        for one in into:
            heavy = heavy * weights[one].norm(dim=1)
        stay = torch.topk(heavy, width).indices.sort().values
        found[name] = weights[name][:, stay].clone()
        for one in into:
            found[one] = weights[one][stay].clone()
            bias = one.replace(".weight", ".bias")
            if bias in weights:
                found[bias] = weights[bias][stay].clone()
    if sum(name.endswith(f"{OUT}.weight") for name in weights) != layers:
        right = "fewer layers, or a student of its own"
        raise BadBase("its neurons cannot be left out", where="neurons", right=right)
    return found


def _tied(model: Any, name: str) -> bool:
    """Whether a weight is another one's, and so not in the list of its own."""
    return bool(getattr(model.config, "tie_word_embeddings", False)) and "lm_head" in name
