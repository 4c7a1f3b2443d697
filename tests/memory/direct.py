"""The model of the local embedder, asked without a child between; for tests and measures."""

from __future__ import annotations

from collections.abc import Sequence

from memory.embedding import Kind, Vector, unit
from trainers.embedding.minilm import MiniLM, on_one_thread
from trainers.embedding.weights import ID, checked, folder


class Direct:
    """Vectors as the child makes them."""

    id, dim, degraded = ID, 384, ""

    def __init__(self) -> None:
        on_one_thread()
        self._model = MiniLM(checked(folder()))

    async def embed(self, texts: Sequence[str], kind: Kind) -> list[Vector]:  # noqa: ARG002
        return [unit(one) for one in self._model.embed(self._model.read(texts))]
