"""The evaluation item that a text is nearest to in meaning, for those who look for leaks in data.

Who looks does so in a thread of its own; vectors are made on the loop, by the embedder of the home.
Those of evaluation items are kept in a file, since they are looked for again with each data set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from events.errors import LogUnavailable
from memory.embedding import Embedder, Vector
from memory.fingerprint import identified
from memory.remembering.searching import Passage, Vectors
from memory.vectors import SUFFIX, VectorCache

T = TypeVar("T")
Near = tuple[int, float]
"""An item, and the cosine."""

AT_ONCE = 256
"""Texts that are embedded before the next look whether the house still stands."""
LONGEST = 600.0
"""Seconds for so many."""


class Nearness:
    """Finds the nearest items by the vectors of an embedder. Made on the loop that it works on."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._embedder, self._folder = embedder, folder
        self._loop = asyncio.get_running_loop()
        self._opening = asyncio.Lock()
        self._cache: VectorCache | None = None

    def of(self, items: Sequence[str]) -> Callable[[Sequence[str]], list[Near | None]]:
        """Who finds, for each text, the nearest of these items. Called in another thread."""
        import numpy as np

        kept = np.array(self._on_loop(self._kept(items)), dtype=np.float32)
        known: dict[str, Near | None] = {}

        def nearest(texts: Sequence[str]) -> list[Near | None]:
            new = [one for one in dict.fromkeys(texts) if one.strip() and one not in known]
            for first in range(0, len(new), AT_ONCE):
                some = new[first : first + AT_ONCE]
                made = self._on_loop(self._embedder.embed(some, "passage"))
                alike = np.array(made, dtype=np.float32) @ kept.T
                for text, row, place in zip(some, alike, alike.argmax(axis=1), strict=True):
                    known[text] = (int(place), float(row[place]))
            return [known.get(text) for text in texts]

        return nearest

    def close(self) -> None:
        if self._cache is not None:
            self._cache.close()
            self._cache = None

    async def _kept(self, items: Sequence[str]) -> list[Vector]:
        async with self._opening:
            if self._cache is None:
                identity = await identified(self._embedder, self._folder, accept=True)
                file = self._folder / f"{identity.fingerprint}{SUFFIX}"
                self._cache = VectorCache(file, identity.dim)
        vectors = Vectors(self._embedder, self._cache)
        found: list[Vector] = []
        for first in range(0, len(items), AT_ONCE):
            some = items[first : first + AT_ONCE]
            found += await vectors.of([Passage("", text) for text in some])
        return found

    def _on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(LONGEST)
        except TimeoutError:
            what = f"the embedder did not get ready with {AT_ONCE} texts within {LONGEST:g} s"
            raise LogUnavailable(what, where="models.embedder") from None
