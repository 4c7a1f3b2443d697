"""Writing the archive: segments of the log into files, each in its place only when it is whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from events.archive import SIZE, Manifest, Sealed, damage, disordered, manifests
from events.chain import GENESIS, Signer, signed
from events.envelope import Envelope
from events.errors import Conflict, LogDamaged, LogUnavailable, Malformed
from events.merkle import leaves
from events.proof import rooted_head, segment_roots, stated, tree_at
from events.replay import Told, history
from events.store import EventStore


async def seal(
    store: EventStore,
    signer: Callable[[], Signer],
    folder: Path,
    until: int | None,
    told: Told | None,
) -> Sealed:
    """Write what is missing: whole segments, or, up to `until`, a shorter last one too."""
    head = await rooted_head(store)
    if until is not None and not 1 <= until <= head.position:
        right = f"a position from 1 to {head.position}" if head.position else "the log is empty"
        raise Malformed(f"the log has no position {until}", where="--until", right=right)
    if not head.position:
        return Sealed([], [], 0)
    key = signer()
    if not signed(head, key.public):
        raise LogDamaged(
            "the head of the log is not signed by this home's key",
            where="head",
            right="run `ratchet audit`; bring the keys back from a backup",
        )
    folder.mkdir(parents=True, exist_ok=True)
    kept, roots = manifests(folder), await segment_roots(store, head)
    writing = _Writing(store, key, folder, roots, told)
    wrong = disordered(kept, key.public)
    if wrong or not await writing.of_this_log(kept):
        raise Conflict(
            f"the folder holds other segments than those of this log{wrong and ': '}{wrong}",
            where=str(folder),
            right="a folder of its own for each log",
        )
    lost = [one for one in kept if damage(folder, one)]
    for one in lost:
        await writing.write(one.first, one.last, one)
    made: list[Manifest] = []
    end, whole = (kept[-1].last if kept else 0), until is None
    bound = head.position if until is None else until
    while end + (SIZE if whole else 1) <= bound:
        made.append(await writing.write(end + 1, min(end + SIZE, bound)))
        end = made[-1].last
    return Sealed(made, kept, len(lost))


class _Writing:
    """One sealing: what all its files have in common."""

    def __init__(
        self,
        store: EventStore,
        signer: Signer,
        folder: Path,
        roots: list[bytes],
        told: Told | None,
    ) -> None:
        self._store, self._signer, self._folder = store, signer, folder
        self._roots, self._told = roots, told

    async def of_this_log(self, kept: Sequence[Manifest]) -> bool:
        """Whether the log has at the end of each segment what its manifest says."""
        for one in kept:
            tree = await tree_at(self._store, self._roots, one.last)
            if await self._hash(one.last) != one.hash or tree.root().hex() != one.root:
                return False
        return True

    async def write(self, first: int, last: int, lost: Manifest | None = None) -> Manifest:
        """One file and its manifest, in its place only when all of it is there and verified. One
        that was lost comes out as it was."""
        previous_hash = await self._hash(first - 1) if first > 1 else GENESIS
        beside = self._folder / ".sealing"
        try:
            made = await self._written(beside, first, last, previous_hash)
            if lost is not None and made != lost:
                raise LogDamaged(
                    f"the events {first} to {last} are not those that were sealed",
                    where=str(self._folder / lost.name),
                    right="run `ratchet audit`",
                )
            wrong = damage(self._folder, made, beside)
            if wrong:
                raise LogUnavailable(f"what was written is not what is there: {wrong}")
            os.replace(beside, self._folder / made.name)
            text = json.dumps(made.model_dump(), indent=2) + "\n"
            _durably(beside, text.encode())
            os.replace(beside, (self._folder / made.name).with_suffix(".json"))
            return made
        except OSError as error:
            raise LogUnavailable(
                f"the segment cannot be written ({error.strerror})",
                where=str(self._folder),
                right="a folder with room that this user may write; what is there stays good",
            ) from None
        finally:
            with suppress(OSError):
                beside.unlink()

    async def _written(self, file: Path, first: int, last: int, previous: str) -> Manifest:
        digest, size = sha256(), 0
        tree = await tree_at(self._store, self._roots, first - 1)
        hash_ = previous
        with file.open("wb") as target:
            behind = (first - 1, previous)
            async for batch in history(self._store, last, self._told, behind):
                text = b"".join(map(_line, batch))
                target.write(text)
                digest.update(text)
                size += len(text)
                tree, _ = tree.grown(leaves(envelope.hash for envelope in batch))
                hash_ = batch[-1].hash
            target.flush()
            os.fsync(target.fileno())
        found = Manifest(
            first=first,
            last=last,
            previous_hash=previous,
            hash=hash_,
            root=tree.root().hex(),
            sha256=digest.hexdigest(),
            size=size,
            key=self._signer.public,
        )
        signature = self._signer.signature(found.statement())
        return found.model_copy(update={"signature": signature})

    async def _hash(self, position: int) -> str:
        return "".join(await self._store.hashes(position - 1, position))


def _line(envelope: Envelope) -> bytes:
    return json.dumps(stated(envelope), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _durably(file: Path, content: bytes) -> None:
    with file.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
