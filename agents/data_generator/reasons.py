"""Why a data set was rejected, told so that somebody can do something about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from agents.data_generator.state import Making
from events.catalog.parts import DatasetAssembled

OVERALL = "overall"
"""The measure of a whole set."""


def meant(name: str, known: Iterable[str]) -> str:
    """What somebody may have meant by a name that nobody has."""
    names = sorted(known)
    near = get_close_matches(name, names, 1)
    if near:
        return f", did you mean {near[0]!r}?"
    return f"; there are: {', '.join(names[:20])}" if names else "; none is defined yet"


def weak(assembled: DatasetAssembled) -> str:
    """The weakest parts of the measure."""
    parts = [(one.value, name) for name, one in assembled.quality.items() if name != OVERALL]
    told = ", ".join(f"{name} {value:.3g}" for value, name in sorted(parts)[:3])
    return f" (weakest: {told})" if told else ""


def too_weak(assembled: DatasetAssembled, bounds: Mapping[str, float]) -> str:
    """Which bound a figure of the whole misses, if any; what was never offered misses none."""
    for name, bound in bounds.items():
        found = assembled.quality.get(name)
        if found is not None and found.n and found.value < bound:
            return f"{name} {found.value:.3g} is below {bound:g}"
    return ""


def settling(many: int, review: str) -> str:
    """Where pairs wait that people could settle."""
    return f"; {times(many, 'pair')} can be settled by people: `ratchet review list {review}`"


def why(making: Making) -> str:
    """What went wrong in the parts: how they failed, and why examples were refused."""
    refused, failed = Counter[str](), dict[str, str]()
    for part in making.parts.values():
        if part.failed:
            failed[part.source] = part.failed
        if part.built is not None:
            refused.update(part.built.rejected)
    told = "".join(f"; {source}: {reason[:300]}" for source, reason in sorted(failed.items()))
    return counted("; refused", refused) + told


def counted(what: str, many: Mapping[str, int]) -> str:
    """The most frequent of them."""
    most = sorted(many.items(), key=lambda one: (-one[1], one[0]))[:5]
    told = ", ".join(f"{name} {count:,}" for name, count in most if count)
    return f"{what}: {told}" if told else ""


def times(many: int, what: str) -> str:
    return f"{many} {what}" if many == 1 else f"{many} {what}s"
