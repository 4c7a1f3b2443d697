"""Where the time of a training goes: its parts under a clock, by their names in the code."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

Parts = Mapping[str, tuple[Any, str]]
"""What a part is called, and the function that does it: where it lies, and its name there."""


@contextmanager
def clocked(parts: Parts) -> Iterator[dict[str, float]]:
    """Seconds of each part, while this lasts."""
    spent = dict.fromkeys(parts, 0.0)
    with ExitStack() as stack:
        for name, (place, member) in parts.items():
            clock = _clocked(getattr(place, member), name, spent)
            stack.enter_context(patch.object(place, member, clock))
        yield spent


def _clocked(work: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    @functools.wraps(work)
    def timed(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return work(*given, **named)
        finally:
            spent[name] += time.perf_counter() - began

    return timed
