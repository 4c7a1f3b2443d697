"""How a source makes its rows: pairs are made in other ways than trajectories, and rated apart."""

from __future__ import annotations

from agents.data_generator.sources.source import METHODS
from events.catalog.parts import PartRequested

OF_PAIRS = {"synthetic": "sampling", "real": "ratings"}
"""Where it is another way than that of trajectories."""


def method_of(asked: PartRequested) -> str | None:
    """What its part is rated as; None for a source that nobody knows."""
    if asked.kind == "pairs":
        return OF_PAIRS.get(asked.source, METHODS.get(asked.source))
    return METHODS.get(asked.source)
