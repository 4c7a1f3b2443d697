"""Data sets without the words of people who were forgotten.

Where a row came from stands in its provenance, and so do the pieces of feedback that went into it.
Accepted and imported sets go on without such rows, in files of their own that an event names; parts
and sets that were never accepted lose their files altogether. A queue in which such a prompt waits
goes as well. What a model has already learned from it is not undone by this.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from events.artifacts import Artifacts
from events.catalog.data import DatasetAccepted, DatasetRedacted
from events.catalog.imports import DatasetImported
from events.catalog.parts import DatasetAssembled, PartBuilt
from events.catalog.people import FeedbackReceived
from events.catalog.training import Artifact
from events.envelope import draft
from events.errors import RatchetError
from events.ids import derived_id
from events.message import Event
from events.store import EventStore, append, every
from infra.forgetting import Purge

_KINDS = (PartBuilt, DatasetAssembled, DatasetAccepted, DatasetImported, DatasetRedacted)


class _Files(NamedTuple):
    """What is kept of a part or of a set."""

    dataset: str
    rows: str
    provenance: str
    others: tuple[str, ...]
    """Files in which words of its rows stand as well."""
    queue: str
    lasting: bool
    """They are the files of a set that may be trained on."""


def from_datasets(store: EventStore, artifacts: Artifacts) -> Purge:
    """Takes what a subject has said out of the data sets."""

    async def purge(key_id: str) -> None:
        said = set()
        async for batch in every(store, types=[FeedbackReceived.wire]):
            said |= {one.event_id for one in batch if one.key_id == key_id}
        if not said:
            return
        files: list[_Files] = []
        async for batch in every(store, types=[kind.wire for kind in _KINDS]):
            files += [_files(envelope.event()) for envelope in batch]
        now = {one.dataset: one for one in files if one.lasting}
        spoken = await asyncio.to_thread(_all_spoken, artifacts, files, said)
        for one, gone in spoken:
            if now.get(one.dataset) == one:
                event = await asyncio.to_thread(_without, artifacts, one, gone)
                event_id = derived_id("redacted", one.dataset, key_id, one.rows)
                await append(store, draft(event, event_id))
        # the same file may be that of several: those with a queue still have to look into theirs
        for one, gone in sorted(spoken, key=lambda one: not one[0].queue):
            await asyncio.to_thread(_removed, artifacts, one, gone)

    return purge


def _files(event: Event) -> _Files:
    match event:
        case PartBuilt():
            others = (event.transcripts,) if event.transcripts is not None else ()
            queue = None
        case DatasetAssembled():
            others, queue = (event.report,), event.waiting
        case DatasetAccepted() | DatasetImported() | DatasetRedacted():
            others, queue = (event.report,), None
        case _:
            raise TypeError(event.wire)
    return _Files(
        event.dataset,
        event.rows.sha256,
        event.provenance.sha256,
        tuple(one.sha256 for one in others),
        "" if queue is None else queue.sha256,
        isinstance(event, DatasetAccepted | DatasetImported | DatasetRedacted),
    )


def _all_spoken(
    artifacts: Artifacts, files: Sequence[_Files], said: AbstractSet[str]
) -> list[tuple[_Files, set[int]]]:
    found = [(one, _spoken(artifacts, one, said)) for one in files]
    return [(one, gone) for one, gone in found if gone]


def _spoken(artifacts: Artifacts, files: _Files, said: AbstractSet[str]) -> set[int]:
    """The rows that somebody's words have gone into, by their number."""
    return {
        number
        for number, line in enumerate(_lines(artifacts, files.provenance))
        if not said.isdisjoint(str(json.loads(line).get("origin") or "").split())
    }


def _without(artifacts: Artifacts, files: _Files, gone: AbstractSet[int]) -> DatasetRedacted:
    rows = [x for n, x in enumerate(_lines(artifacts, files.rows)) if n not in gone]
    origins = [x for n, x in enumerate(_lines(artifacts, files.provenance)) if n not in gone]
    told = [json.dumps({**json.loads(x), "row": n}, ensure_ascii=False, separators=(",", ":"))
            for n, x in enumerate(origins)]  # fmt: skip
    report = (
        '<!doctype html><html lang="en"><title>Data set</title><p>'
        f"{len(rows):,} rows. The report went with what somebody said who was forgotten.</html>\n"
    )
    return DatasetRedacted(
        dataset=files.dataset,
        rows=_put(artifacts, "rows", b"".join(row + b"\n" for row in rows)),
        provenance=_put(artifacts, "provenance", "".join(f"{x}\n" for x in told).encode()),
        report=_put(artifacts, "report", report.encode()),
        count=len(rows),
        gone=len(gone),
    )


def _removed(artifacts: Artifacts, files: _Files, gone: set[int]) -> None:
    """The provenance last: it tells, should this be done again, that there was something."""
    if files.queue:
        rows = list(_lines(artifacts, files.rows))
        prompts = {json.loads(rows[n]).get("prompt") for n in gone if n < len(rows)}
        asked = (json.loads(line).get("prompt") for line in _lines(artifacts, files.queue))
        if not prompts.isdisjoint(asked):
            artifacts.remove(files.queue)
    for one in (*files.others, files.rows, files.provenance):
        artifacts.remove(one)


def _lines(artifacts: Artifacts, reference: str) -> Iterator[bytes]:
    """The lines of a file; none of one that is gone, or not what it was."""
    try:
        yield from artifacts.read(reference).splitlines()
    except RatchetError:
        return


def _put(artifacts: Artifacts, kind: str, content: bytes) -> Artifact:
    ref = artifacts.put(content)
    return Artifact(kind=kind, sha256=ref.sha256, size=ref.size)
