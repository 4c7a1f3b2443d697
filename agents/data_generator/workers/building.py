"""Building a part: one source gives rows, and they are kept under their hashes.

What a source needs after a crash lies in a folder of the part. It stays until the set is
assembled, so whoever is asked again repeats only what was under way.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from agents.data_generator.pairing.methods import method_of
from agents.data_generator.sources.aside import aside
from agents.data_generator.sources.source import Built, Order, Source, SourceFailed
from agents.worker import Tell
from events.artifacts import Artifacts
from events.catalog.data import Kind
from events.catalog.parts import PartBuilt, PartRequested
from events.catalog.roles import RoleProfile
from events.catalog.training import Artifact
from events.errors import Malformed
from events.fact import Fact
from events.message import Outcome
from pipelines.data.rows import Provenance, sidecar, written
from trainers.model_types import model_type

GRACE = 60.0
"""Seconds beyond its time in which a source has to come to an end by itself."""
FORGOTTEN = 30 * 86400.0
"""Seconds after which the folder of a set that was never assembled is removed."""
REASONS = 12
"""Reasons by which refused examples are counted; the rarer ones are counted together."""

ProfileOf = Callable[[str], Awaitable[RoleProfile | None]]
"""The role as the event with this id defined it."""


class Builder:
    """Grants `PartRequested`."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        artifacts: Artifacts,
        folder: Path,
        profile_of: ProfileOf,
        pairs: Mapping[str, Source] | None = None,
    ) -> None:
        """`pairs` are the sources of preference pairs, by the same names."""
        self._sources: dict[Kind, Mapping[str, Source]] = {
            "trajectories": sources, "pairs": pairs or {},
        }  # fmt: skip
        self._artifacts = artifacts
        self._folder, self._profile_of = folder, profile_of

    async def grant(self, told: Fact, tell: Tell) -> Outcome:
        asked = cast(PartRequested, told.event)
        began = time.monotonic()
        source = self._source(asked)
        kind = await aside(model_type, asked.model_type)
        folder = part_folder(self._folder, asked.dataset, asked.part)
        await aside(self._prepared, folder)
        profile = None if asked.profile is None else await self._profile_of(asked.profile)

        def told_of(says: dict[str, Any]) -> None:
            tell({"dataset": asked.dataset, "part": asked.part, "source": asked.source, **says})

        order = Order(asked, told.position, kind, profile, folder, told_of)
        built = await self._built(source, order)
        return await aside(self._kept, asked, built, began)

    def _source(self, asked: PartRequested) -> Source:
        known = self._sources[asked.kind]
        source = known.get(asked.source)
        if source is None:
            right = f"one of {', '.join(known)}"
            raise Malformed(f"no source of {asked.kind} here is named {asked.source!r}",
                            where="source", right=right)  # fmt: skip
        return source

    async def _built(self, source: Source, order: Order) -> Built:
        seconds = order.asked.limits.seconds
        try:
            async with asyncio.timeout(None if seconds is None else seconds + GRACE):
                return await source.build(order)
        except TimeoutError:
            raise SourceFailed(
                f"it did not come to an end within {seconds:g} s", retryable=False
            ) from None

    def _prepared(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        long_ago = time.time() - FORGOTTEN
        for other in self._folder.iterdir():
            with suppress(OSError):
                if other != folder.parent and other.stat().st_mtime < long_ago:
                    shutil.rmtree(other)

    def _kept(self, asked: PartRequested, built: Built, began: float) -> PartBuilt:
        """Everything in the store, and what an event says of it."""
        rows = self._put("rows", written(built.rows))
        transcripts = None
        if built.transcripts is not None and built.transcripts.stat().st_size:
            ref = self._artifacts.put_file(built.transcripts)
            transcripts = Artifact(kind="transcripts", sha256=ref.sha256, size=ref.size)
        kept = None if transcripts is None else transcripts.sha256
        beside = [_origin(one, kept) for one in built.provenance]
        provenance = self._put("provenance", sidecar(beside))
        return PartBuilt(
            dataset=asked.dataset,
            part=asked.part,
            attempt=asked.attempt,
            source=asked.source,
            method=method_of(asked) or asked.source,
            rows=rows,
            provenance=provenance,
            transcripts=transcripts,
            accepted=len(built.rows),
            more=built.more,
            rejected=_few(built.rejected),
            spent=built.spent,
            seconds=round(time.monotonic() - began, 3),
        )

    def _put(self, kind: str, content: bytes) -> Artifact:
        ref = self._artifacts.put(content)
        return Artifact(kind=kind, sha256=ref.sha256, size=ref.size)


def part_folder(root: Path, dataset: str, part: int) -> Path:
    """Where a part keeps what must survive a crash."""
    return root / dataset / f"part-{part}"


def _origin(told: Mapping[str, Any], transcripts: str | None) -> Provenance:
    """Where a row came from, in the words of all sources."""
    known = {name: told[name] for name in Provenance.model_fields if told.get(name) is not None}
    known["cites"] = tuple(known.get("cites", ()))
    known["transcript"] = transcripts if "session" in known else None
    return Provenance.model_validate(known)


def _few(rejected: Mapping[str, int]) -> dict[str, int]:
    most = sorted(rejected.items(), key=lambda one: (-one[1], one[0]))
    found = dict(most[:REASONS])
    if rest := sum(many for _, many in most[REASONS:]):
        found["others"] = found.get("others", 0) + rest
    return found
