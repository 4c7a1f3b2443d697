"""A score out of a model's last hidden state: one number at each token, for critics and scorers.

Who scores a whole text reads it at the last token, or as the mean over all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from trainers.failures import BadBase

FILE = "value_head.safetensors"
READS = "reads"
Reads = Literal["last", "mean"]


class ValueHead(nn.Module):
    """Linear, and zero at first: a critic that knows nothing says nothing."""

    def __init__(self, width: int, reads: Reads = "last") -> None:
        super().__init__()
        self.reads = reads
        self.linear = nn.Linear(width, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, hidden: Any) -> Any:
        """[rows, tokens, width] to [rows, tokens]."""
        with torch.autocast(hidden.device.type, enabled=False):  # three digits are too few
            return self.linear(hidden.float())[..., 0]


def write_head(place: Path, head: ValueHead) -> None:
    """Beside the model that it belongs to; before its manifest is written."""
    weights = {name: one.contiguous() for name, one in head.state_dict().items()}
    save_file(weights, place / FILE, {READS: head.reads})


def load_head(folder: Path) -> ValueHead:
    """That of a model in this folder."""
    right = "a model that was saved with its value head"
    try:
        weights = load_file(folder / FILE)
        with safe_open(folder / FILE, "pt") as opened:
            mean = (opened.metadata() or {}).get(READS) == "mean"
        head = ValueHead(weights["linear.weight"].shape[1], "mean" if mean else "last")
        head.load_state_dict(weights)
    except (OSError, KeyError, IndexError, RuntimeError, SafetensorError) as error:
        said = " ".join(str(error).split())[:300]
        raise BadBase(
            f"no value head can be read ({said})", where=str(folder), right=right
        ) from None
    if not all(bool(torch.isfinite(one).all()) for one in weights.values()):
        raise BadBase("its value head is not all numbers", where=str(folder), right=right)
    return head
