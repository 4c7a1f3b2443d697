"""Files that commands read and write, and the artifacts of the home."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from events.errors import Malformed, NotFound, ReadOnly
from infra.cli import show

if TYPE_CHECKING:
    from events.artifacts import Artifacts


@contextmanager
def opened(file: str) -> Iterator[IO[bytes]]:
    """A file for reading, or one sentence about what is wrong with it; - is standard input."""
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as source:
            yield source
    except FileNotFoundError:
        raise NotFound("there is no such file", where=file) from None
    except OSError as error:
        raise Malformed(f"the file cannot be read ({error.strerror})", where=file) from None


def written_to(file: Path, made: bytes) -> str:
    """Write a new file; one that is there already stays as it is."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("xb") as target:
            target.write(made)
    except FileExistsError:
        right = "another place, or remove it first"
        raise Malformed("there is such a file already", where=str(file), right=right) from None
    except OSError as error:
        what = f"this cannot be written ({error.strerror})"
        raise ReadOnly(what, where=str(file), right="a folder of your own") from None
    return str(file)


def content(reference: str, limit: int = 1 << 30) -> bytes:
    """What an artifact of this home holds, of so many bytes at most."""
    return _artifacts().read(reference, limit)


def put(kind: str, made: bytes) -> dict[str, Any]:
    """Keep an artifact; what an event carries of it."""
    ref = _artifacts().put(made)
    return {"kind": kind, "sha256": ref.sha256, "size": ref.size}


def _artifacts() -> Artifacts:
    from events.artifacts import Artifacts  # fsspec: 30 ms that reading history need not pay

    return Artifacts(show.home().artifacts)
