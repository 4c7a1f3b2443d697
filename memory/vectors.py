"""The vectors of texts, kept by the hash of the text: what was embedded once is never paid again.

One file for each embedder, written at its end only. Each record has one size and a checksum of its
own, so that a record torn by a crash is dropped and all others stay. A cache: it may be deleted.
Records bear whose personal text they come from, and go with that person.
"""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple
from unicodedata import normalize
from uuid import UUID
from zlib import crc32

from memory.embedding import Vector

MAGIC = b"ratchet vectors 1\n"
HEADER = struct.Struct("<18sHI")
"""The magic, nothing, and the dimensions."""
SUM = struct.Struct("<I")
NAME = 16
"""Bytes of a key, and of an owner."""
NOBODY = bytes(NAME)
SUFFIX = ".vectors"


class Entry(NamedTuple):
    """One vector to be kept."""

    key: bytes
    owner: bytes
    vector: Vector


def key_of(text: str, owner: str | None = None) -> bytes:
    """By what the vector of a text is found; the same words of two people are two texts."""
    whole = f"{owner or ''}\x1f{normalize('NFC', text)}"
    return sha256(whole.encode("utf-8", "surrogatepass")).digest()[:NAME]


def owner_of(key_id: str | None) -> bytes:
    """Whose text it is, by the key id of their events."""
    return UUID(key_id).bytes if key_id else NOBODY


class VectorCache:
    """The vectors of one embedder. Used by one thread at a time."""

    def __init__(self, file: Path, dim: int) -> None:
        self._file, self._dim = file, dim
        self._size = 2 * NAME + 4 * dim + SUM.size
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _beside(file).unlink(missing_ok=True)
        if _dim_of(file) != dim:
            file.unlink(missing_ok=True)
        self._open()

    def _open(self) -> None:
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        self._opened: BinaryIO = os.fdopen(handle, "r+b")
        if os.fstat(handle).st_size < HEADER.size:
            os.ftruncate(handle, 0)
            self._opened.write(HEADER.pack(MAGIC, 0, self._dim))
            self._opened.flush()
        self._places: dict[bytes, int] = {}
        self._end = HEADER.size
        for place, record in self._records():
            self._places[record[:NAME]] = place
            self._end = place + self._size
        os.ftruncate(handle, self._end)

    def __len__(self) -> int:
        return len(self._places)

    def get(self, keys: Sequence[bytes]) -> list[Vector | None]:
        """The vectors that are known."""
        return [self._read(key) for key in keys]

    def put(self, entries: Sequence[Entry]) -> None:
        """Keep some. The system has them when this returns; after a power cut they may be gone."""
        written = bytearray()
        for key, owner, vector in entries:
            if key in self._places or len(vector) != self._dim:
                continue
            self._places[key] = self._end + len(written)
            body = key + owner + array("f", vector).tobytes()
            written += body + SUM.pack(crc32(body))
        os.pwrite(self._opened.fileno(), written, self._end)
        self._end += len(written)

    def purge(self, owner: bytes) -> bool:
        """Write the file anew without what belongs to somebody; whether anything did."""
        kept, gone = bytearray(), False
        for _, record in self._records():
            if record[NAME : 2 * NAME] == owner:
                gone = True
            else:
                kept += record
        if gone:
            beside = _beside(self._file)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(HEADER.pack(MAGIC, 0, self._dim))
                file.write(kept)
                file.flush()
                os.fsync(file.fileno())
            self._opened.close()
            os.replace(beside, self._file)
            _settle(self._file.parent)
            self._open()
        return gone

    def close(self) -> None:
        self._opened.close()

    def _read(self, key: bytes) -> Vector | None:
        place = self._places.get(key)
        if place is None:
            return None
        record = os.pread(self._opened.fileno(), self._size, place)
        if record[:NAME] != key or not _is_whole(record, self._size):
            del self._places[key]  # a full disk took nothing, and something else stands there now
            return None
        return array("f", record[2 * NAME : -SUM.size]).tolist()

    def _records(self) -> Iterator[tuple[int, bytes]]:
        """All that are whole, with their places."""
        place = HEADER.size
        step = max(1, (1 << 22) // self._size) * self._size
        while chunk := os.pread(self._opened.fileno(), step, place):
            for start in range(0, len(chunk), self._size):
                record = chunk[start : start + self._size]
                if _is_whole(record, self._size):
                    yield place + start, record
            place += len(chunk)


def purge_all(folder: Path, key_id: str) -> None:
    """Let go of what belongs to somebody in the files of all embedders, present and former."""
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        dim = _dim_of(file)
        if dim:
            cache = VectorCache(file, dim)
            cache.purge(owner_of(key_id))
            cache.close()


def _is_whole(record: bytes, size: int) -> bool:
    return len(record) == size and crc32(record[: -SUM.size]) == SUM.unpack(record[-SUM.size :])[0]


def _dim_of(file: Path) -> int:
    """The dimensions that a file was made for; 0 where it is none of ours."""
    try:
        with file.open("rb") as opened:
            magic, _, dim = HEADER.unpack(opened.read(HEADER.size))
    except (OSError, struct.error):
        return 0
    return int(dim) if magic == MAGIC else 0


def _beside(file: Path) -> Path:
    return file.with_suffix(".beside")


def _settle(folder: Path) -> None:
    """A name that was changed is changed for good."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
