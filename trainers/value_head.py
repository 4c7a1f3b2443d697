"""A score out of a model's last hidden state: one number at each token, for critics and scorers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from trainers.failures import BadBase

FILE = "value_head.safetensors"


class ValueHead(nn.Module):
    """Linear, and zero at first: a critic that knows nothing says nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, hidden: Any) -> Any:
        """[rows, tokens, width] to [rows, tokens]."""
        with torch.autocast(hidden.device.type, enabled=False):  # three digits are too few
            return self.linear(hidden.float())[..., 0]


def write_head(place: Path, head: ValueHead) -> None:
    """Beside the model that it belongs to; before its manifest is written."""
    save_file({name: one.contiguous() for name, one in head.state_dict().items()}, place / FILE)


def load_head(folder: Path) -> ValueHead:
    """That of a model in this folder."""
    right = "a model that was saved with its value head"
    try:
        weights = load_file(folder / FILE)
        head = ValueHead(weights["linear.weight"].shape[1])
        head.load_state_dict(weights)
    except (OSError, KeyError, IndexError, RuntimeError, SafetensorError) as error:
        said = " ".join(str(error).split())[:300]
        raise BadBase(
            f"no value head can be read ({said})", where=str(folder), right=right
        ) from None
    if not all(bool(torch.isfinite(one).all()) for one in weights.values()):
        raise BadBase("its value head is not all numbers", where=str(folder), right=right)
    return head
