"""What is answered when a part cannot be built, or parts cannot be put together."""

from __future__ import annotations

from typing import cast

from agents.data_generator.pairing.methods import method_of
from agents.data_generator.sources.source import SourceFailed
from events.catalog.costs import Spent
from events.catalog.parts import AssemblyFailed, AssemblyRequested, PartFailed, PartRequested
from events.errors import NotFound, RatchetError, Refused
from events.fact import Fact


def part_failed(told: Fact, error: Exception) -> PartFailed:
    """With the reason, and whether trying again may help."""
    asked = cast(PartRequested, told.event)
    return PartFailed(
        dataset=asked.dataset,
        part=asked.part,
        attempt=asked.attempt,
        source=asked.source,
        method=method_of(asked) if isinstance(error, SourceFailed) else None,
        reason=_reason(error),
        retryable=_retryable(error),
        spent=error.spent if isinstance(error, SourceFailed) else Spent(),
    )


def assembly_failed(told: Fact, error: Exception) -> AssemblyFailed:
    """Likewise."""
    asked = cast(AssemblyRequested, told.event)
    return AssemblyFailed(
        dataset=asked.dataset,
        attempt=asked.attempt,
        reason=_reason(error),
        retryable=_retryable(error),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        missing = f"the package {error.name!r} is not installed here"
        return f"{missing}: pip install 'ratchet-fleet[knowledge]'"
    said = " ".join(str(error).split())
    if not isinstance(error, RatchetError):
        said = f"{type(error).__name__}: {said}".rstrip(": ")
    return said[:2000] or type(error).__name__


def _retryable(error: Exception) -> bool:
    if isinstance(error, SourceFailed):
        return error.retryable
    return not isinstance(error, Refused | NotFound | ModuleNotFoundError)
