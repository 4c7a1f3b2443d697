"""Old segments of the log as files: one event a line, beside each file a signed manifest.

Segments lie behind one another without a gap, each file ends with the event at which the next one's
chain goes on, and its manifest says the root of the log's tree up to there. The same events give
the same bytes, so a file that was lost is written again. Nothing is taken out of the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ValidationError

from events.chain import genuine, holds
from events.envelope import Envelope
from events.errors import Malformed, RatchetError
from events.merkle import Frontier, leaves
from events.message import Value
from events.proof import Count, Hex, Signature, Stated, parsed
from events.suggest import malformed

SIZE = 65_536
"""Events of a whole segment."""
_CHUNK = 1 << 20


class Manifest(Value):
    """What one file of events is, under signature."""

    seal: Literal["ratchet seal 1"] = "ratchet seal 1"
    first: Count
    last: Count
    previous_hash: Hex
    """Of the event before the first one."""
    hash: Hex
    """Of the last event."""
    root: Hex
    """Of the tree over all events up to the last one, from the beginning of the log."""
    sha256: Hex
    size: Count
    key: Hex
    signature: Signature | Literal[""] = ""

    @property
    def name(self) -> str:
        """Of the file; that of the manifest has another ending."""
        return f"{self.first:012}-{self.last:012}.jsonl"

    def statement(self) -> bytes:
        """What is signed."""
        said = (self.first, self.last, self.previous_hash, self.hash, self.root, self.sha256)
        return "\n".join(["ratchet seal 1", *map(str, said), str(self.size), ""]).encode()


class Sealed(NamedTuple):
    """What a sealing did."""

    made: list[Manifest]
    kept: list[Manifest]
    """Those that were there before."""
    again: int
    """How many of their files had to be written again."""


def manifests(folder: Path) -> list[Manifest]:
    """Those that lie in a folder, in the order of their events."""
    found = []
    for file in folder.glob("[0-9]*-[0-9]*.json"):
        try:
            with file.open("rb") as source:
                found.append(manifest(parsed(source.read(_CHUNK))))
        except RatchetError as error:
            raise Malformed(error.what, where=f"{file.name} {error.where}".strip()) from None
        except OSError as error:
            what = f"a manifest cannot be read ({error.strerror})"
            raise Malformed(what, where=str(file)) from None
    return sorted(found, key=lambda one: one.first)


def manifest(document: dict[str, object]) -> Manifest:
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        raise malformed(Manifest, error) from None


def disordered(found: Sequence[Manifest], public: str) -> str:
    """Why manifests are not those of segments that lie behind one another, or ''."""
    for index, one in enumerate(found):
        if one.key != public or not genuine(one.signature, one.statement(), public):
            return f"the manifest of {one.name} is not signed by the key {public[:16]}..."
        before = found[index - 1]
        if index and (one.first, one.previous_hash) != (before.last + 1, before.hash):
            return f"{one.name} does not go on where {before.name} ends"
    return ""


def damage(folder: Path, one: Manifest, file: Path | None = None) -> str:
    """Why the file of a segment is not what its manifest says, or ''."""
    place = file or folder / one.name
    try:
        with place.open("rb") as source:
            digest, size = sha256(), 0
            while size <= one.size and (chunk := source.read(_CHUNK)):
                digest.update(chunk)
                size += len(chunk)
        if (size, digest.hexdigest()) != (one.size, one.sha256):
            return f"{one.name} has other bytes than were sealed"
        end, previous = one.first - 1, one.previous_hash
        for envelope in events(place):
            if envelope.position != end + 1 or not holds(envelope, previous):
                return f"the chain in {one.name} is broken behind position {end}"
            end, previous = envelope.position, envelope.hash
    except OSError as error:
        return f"{one.name} cannot be read ({error.strerror})"
    except RatchetError as error:
        return f"{one.name} holds what is no event ({error.what})"
    return "" if (end, previous) == (one.last, one.hash) else f"{one.name} ends at position {end}"


def unrooted(folder: Path, found: Sequence[Manifest]) -> str:
    """Why the roots in the manifests are not those of the events in the files, or ''. To be asked
    of files that are whole, from the first event of the log on."""
    tree = Frontier()
    for one in found:
        tree, _ = tree.grown(leaves(envelope.hash for envelope in events(folder / one.name)))
        if tree.root().hex() != one.root:
            return f"the manifest of {one.name} has another root than its events"
    return ""


def events(file: Path) -> Iterator[Envelope]:
    """The events of a file, each with the hash that follows from its line."""
    with file.open("rb") as source:
        for line in source:
            try:
                yield Stated.model_validate_json(line).envelope()
            except ValidationError as error:
                raise malformed(Stated, error) from None
