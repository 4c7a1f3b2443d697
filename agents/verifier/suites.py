"""The suites that a model can be asked to answer, by name."""

from __future__ import annotations

FIXED, FRESH, EXAMPLES = "fixed", "fresh", "examples"
TASK = "task."
"""What the name of a benchmark's task begins with."""

DRAWN = (FIXED, FRESH)
"""Those whose problems the model type itself draws, held out from all training."""


def is_task(name: str) -> bool:
    """Whether it is a benchmark of people's own, from a local file."""
    return name.startswith(TASK) and len(name) > len(TASK)


def unknown(names: tuple[str, ...]) -> str:
    """The first of them that is no suite, or nothing."""
    own = (*DRAWN, EXAMPLES)
    return next((one for one in names if one not in own and not is_task(one)), "")
