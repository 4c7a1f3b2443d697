"""The artifact store: large things by the hash of their content, wherever fsspec can reach.

A folder by default, S3 and others by URL. What was put once is put for ever under `sha256:...`;
putting it again changes nothing, and what is read is verified, so a reference in an event means
the same bytes on every day. Nothing is ever half there: a thing is written beside its place and
moved into it.

What is personal is kept apart, in a folder for each key of a subject: the same references, and one
folder to be deleted when the subject is forgotten.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple
from uuid import UUID, uuid4

import fsspec

from events.errors import LogDamaged, Malformed, NotFound

CHUNK = 1 << 20
_REFERENCE = re.compile(r"sha256:([0-9a-f]{64})")


class Ref(NamedTuple):
    """What an event carries of an artifact."""

    sha256: str
    size: int


class Artifacts:
    """Content by its hash, under one URL."""

    def __init__(self, url: str, key_id: str = "") -> None:
        self._url = url
        self._files, self._root = fsspec.core.url_to_fs(url)
        self._gone = ""
        """The file that says that this folder was purged, where it can be."""
        if key_id:
            name = str(UUID(key_id))
            self._gone = f"{self._root}/purged/{name}"
            self._root = f"{self._root}/personal/{name}"

    def of_subject(self, key_id: str) -> Artifacts:
        """What belongs to one subject, by the key id of the events that refer to it."""
        return Artifacts(self._url, key_id)

    def purge(self, key_id: str) -> None:
        """Delete what belongs to a subject, now and whatever is still on its way here."""
        subject = self.of_subject(key_id)
        self._files.makedirs(f"{self._root}/purged", exist_ok=True)
        self._files.pipe_file(subject._gone, b"")
        subject._clear()

    def put(self, content: bytes | IO[bytes]) -> Ref:
        """Keep content, and say under which reference."""
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        beside = f"{self._root}/incoming/{uuid4().hex}"
        self._refuse_if_purged()
        self._files.makedirs(f"{self._root}/incoming", exist_ok=True)
        digest, size = hashlib.sha256(), 0
        try:
            with self._files.open(beside, "wb") as target:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
            place = self._place(digest.hexdigest())
            if self._files.exists(place):
                self._files.rm_file(beside)
            else:
                self._files.makedirs(place.rsplit("/", 1)[0], exist_ok=True)
                self._files.mv(beside, place)
            self._refuse_if_purged()
        except BaseException:
            if self._files.exists(beside):
                self._files.rm_file(beside)
            raise
        return Ref(f"sha256:{digest.hexdigest()}", size)

    def put_file(self, path: Path) -> Ref:
        """Keep a file, however large, in bounded memory."""
        with path.open("rb") as source:
            return self.put(source)

    def has(self, reference: str) -> bool:
        return bool(self._files.exists(self._place(_digest(reference))))

    def read(self, reference: str, limit: int = 1 << 30) -> bytes:
        """The whole content, verified; refused when it is larger than `limit`."""
        parts, size = [], 0
        for chunk in self.chunks(reference):
            parts.append(chunk)
            size += len(chunk)
            if size > limit:
                raise Malformed(
                    f"the artifact is larger than {limit:,} bytes",
                    where=reference,
                    right="read it in chunks",
                )
        return b"".join(parts)

    def remove(self, reference: str) -> None:
        """Delete what nobody may read any more; what is gone already is gone."""
        place = self._place(_digest(reference))
        if self._files.exists(place):
            self._files.rm_file(place)

    def chunks(self, reference: str) -> Iterator[bytes]:
        """The content in pieces. An error at the end means that none of them may be trusted."""
        wanted = _digest(reference)
        place = self._place(wanted)
        if not self._files.exists(place):
            raise NotFound("there is no such artifact", where=reference)
        digest = hashlib.sha256()
        with self._files.open(place, "rb") as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                yield chunk
        if digest.hexdigest() != wanted:
            raise LogDamaged(
                "the artifact is not what was put under its reference",
                where=reference,
                right="bring the file back from a backup, or make it again",
            )

    def _refuse_if_purged(self) -> None:
        """Also behind a writing: a purge may have passed by meanwhile."""
        if self._gone and self._files.exists(self._gone):
            self._clear()
            raise NotFound("this subject was forgotten", where=self._gone.rsplit("/", 1)[1])

    def _clear(self) -> None:
        if self._files.exists(self._root):
            self._files.rm(self._root, recursive=True)

    def _place(self, digest: str) -> str:
        return f"{self._root}/sha256/{digest[:2]}/{digest}"


def _digest(reference: str) -> str:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise Malformed(
            f"{reference[:80]!r} is no reference to an artifact", right="sha256: and 64 hex digits"
        )
    return match[1]
