"""Experts for whoever has no endpoint configured: a child process on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from guardrails.endpoint import Endpoint
from infra.child import Child, begun
from infra.experts.expert import PARTS
from trainers.model_types.finding import model_type

STARTS = 30.0
"""Seconds in which the child has to be ready; it takes less than one on an idle machine."""
CONCURRENCY = 64


class Experts(NamedTuple):
    """The endpoints of one type."""

    teacher: Endpoint
    verifier: Endpoint
    writer: Endpoint


@asynccontextmanager
async def experts(names: Sequence[str]) -> AsyncIterator[dict[str, Experts]]:
    """The experts of these model types, by the name under which each was asked for."""
    kinds = {name: model_type(name).name for name in names}
    child = await begun("infra.experts", names, f"the experts of {', '.join(names)}", STARTS)
    try:
        yield {name: _endpoints(kind, child) for name, kind in kinds.items()}
    finally:
        await child.end()


def _endpoints(kind: str, child: Child) -> Experts:
    teacher, verifier, writer = (
        Endpoint(
            name=f"expert-{kind}-{part}",
            url=child.url,
            model=f"expert:{kind}:{part}",
            key=child.key,
            concurrency=CONCURRENCY,
        )
        for part in PARTS
    )
    return Experts(teacher, verifier, writer)
