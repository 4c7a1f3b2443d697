"""MiniLM: six layers of an encoder, and a text's vector as the mean of what they make of its words.

Written out here because it is short, and because the library that has it takes four seconds to
load. A test compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import embedding, gelu, layer_norm, linear, normalize
from torch.nn.functional import scaled_dot_product_attention as attention

from trainers.embedding.weights import CONFIG, TENSORS, TOKENIZER

TOKENS = 256
"""Of a text, as the model was made for; what stands behind them is not read."""
LETTERS = TOKENS * 101
"""No more letters than these can be in so many tokens: a longer word is one unknown token."""
TOGETHER = 512
"""Tokens in one go, with what fills short texts up; 2,048 were a fifth slower on one core."""
PARTS = ("word", "position", "token_type")


class MiniLM:
    """The model, on one thread. Used by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / CONFIG).read_text())
        self.dim: int = config["hidden_size"]
        self._heads: int = config["num_attention_heads"]
        self._layers: int = config["num_hidden_layers"]
        self._eps: float = config["layer_norm_eps"]
        self._weights: dict[str, Tensor] = load_file(folder / TENSORS)
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.enable_truncation(TOKENS)
        self._tokenizer.no_padding()

    def read(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text."""
        plain = [" ".join(text[:LETTERS].split()) for text in texts]
        return [one.ids for one in self._tokenizer.encode_batch(plain)]

    def embed(self, read: Sequence[Sequence[int]]) -> list[list[float]]:
        """A vector of length 1 for each text, in order."""
        made: list[list[float]] = [[]] * len(read)
        with torch.inference_mode():
            for places in batches([len(one) for one in read]):
                vectors = self._pooled([read[place] for place in places])
                for place, vector in zip(places, vectors.tolist(), strict=True):
                    made[place] = vector
        return made

    def _pooled(self, read: Sequence[Sequence[int]]) -> Tensor:
        longest = max(map(len, read))
        ids = torch.tensor([[*one, *[0] * (longest - len(one))] for one in read])
        real = torch.tensor([[1.0] * len(one) + [0.0] * (longest - len(one)) for one in read])
        states = self._encoded(ids, real.bool())
        mean = (states * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        return normalize(mean, dim=1)

    def _encoded(self, ids: Tensor, real: Tensor) -> Tensor:
        table = {name: self._weights[f"embeddings.{name}_embeddings.weight"] for name in PARTS}
        states = embedding(ids, table["word"]) + table["position"][: ids.shape[1]]
        states = self._normed(states + table["token_type"][0], "embeddings")
        heard = real[:, None, None, :]
        for number in range(self._layers):
            states = self._layer(states, heard, f"encoder.layer.{number}")
        return states

    def _layer(self, states: Tensor, heard: Tensor, name: str) -> Tensor:
        one, two = f"{name}.attention", f"{name}.output"
        asks, is_asked, says = (
            self._split(states, f"{one}.self.{part}") for part in ("query", "key", "value")
        )
        looked = attention(asks, is_asked, says, attn_mask=heard).transpose(1, 2).flatten(2)
        states = self._normed(states + self._linear(looked, f"{one}.output.dense"), f"{one}.output")
        wide = gelu(self._linear(states, f"{name}.intermediate.dense"))
        return self._normed(states + self._linear(wide, f"{two}.dense"), two)

    def _split(self, states: Tensor, name: str) -> Tensor:
        """By heads."""
        return self._linear(states, name).unflatten(2, (self._heads, -1)).transpose(1, 2)

    def _linear(self, states: Tensor, name: str) -> Tensor:
        return linear(states, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _normed(self, states: Tensor, name: str) -> Tensor:
        weight, bias = (self._weights[f"{name}.LayerNorm.{part}"] for part in ("weight", "bias"))
        return layer_norm(states, (self.dim,), weight, bias, self._eps)


def on_one_thread() -> None:
    """For the whole process: others have work for the other cores."""
    torch.set_num_threads(1)


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of texts that are read together: of like length, and not too many tokens."""
    ordered = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    batch: list[int] = []
    for place in ordered:
        if batch and lengths[batch[0]] * (len(batch) + 1) > TOGETHER:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
