"""A job's folder: what lies in it under which name, and how it is written so that no kill can lie.

    spec.json        the JobSpec
    data/HEX         its rows, each file by the hash of its content
    lock             locked by the kernel for as long as the job runs; says who runs it
    starts.jsonl     a line for each start: what it went on from, and its accelerators
    owner            touched by whoever looks after the job; a job without one has nobody to miss
    cancel           there when somebody cancelled it
    heartbeat        touched at each step
    metrics.jsonl    a line for each step
    checkpoints/N/   the last ones that are whole
    manifest.json    hashes of all that was made, and what was found out on the way
    model/           the trained model
    adapter/         of one that was distilled with LoRA: its adapters alone
    student/         of one that was cut out of its base: as it was before it learned
    outcome.json     what came of it; written once, the last of all
    log.txt          all that was said

Whatever is read by others is written beside its place and renamed into it.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from events.catalog.jobs import JobSpec
from events.errors import Malformed
from events.suggest import malformed
from trainers.failures import Defect, Usage
from trainers.outcome import Outcome, failed

MOST = 1 << 20
"""Bytes of a spec."""


def read_spec(file: Path) -> JobSpec:
    """The spec in a file; what is wrong with it is one sentence."""
    try:
        with file.open("rb") as source:
            text = source.read(MOST + 1)
    except OSError as error:
        right = "the path of a spec.json"
        raise Usage(
            f"the spec cannot be read ({error.strerror})", where=str(file), right=right
        ) from None
    if len(text) > MOST:
        raise Usage(f"the spec is larger than {MOST:,} bytes", where=str(file), right="a JobSpec")
    try:
        return JobSpec.model_validate_json(text)
    except ValidationError as error:
        wrong: Malformed = malformed(JobSpec, error)
        raise Usage(wrong.what, where=wrong.where, right=wrong.right) from None


def data_file(folder: Path, sha256: str) -> Path:
    """Where the rows with this hash lie."""
    return folder / "data" / sha256.removeprefix("sha256:")


def outcome_of(folder: Path) -> Outcome | None:
    """What came of the job, if it has ended; one that somebody broke tells of just that."""
    file = folder / "outcome.json"
    try:
        return Outcome.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (ValidationError, IsADirectoryError):
        right = "another job: nobody knows any more what came of this one"
        return failed(Defect("its outcome cannot be read", where=str(file), right=right))


def put_outcome(folder: Path, outcome: Outcome) -> Outcome:
    """Write it down, unless there is one already: the first is the one that counts."""
    made = folder / f".outcome.{uuid4().hex}"
    try:
        _write(made, outcome.model_dump_json(indent=1).encode())
        os.link(made, folder / "outcome.json")
    except FileExistsError:
        pass
    finally:
        made.unlink(missing_ok=True)
    sync(folder)
    found = outcome_of(folder)
    return outcome if found is None else found


def put(file: Path, content: bytes) -> None:
    """Write a file whole: whoever reads it sees the old one or the new one."""
    made = file.parent / f".{file.name}.{uuid4().hex}"
    try:
        _write(made, content)
        os.replace(made, file)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    sync(file.parent)


def append(file: Path, line: bytes) -> None:
    """Add a line, whole: of one for which the disk has no room nothing stays."""
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(handle).st_size
        try:
            if os.write(handle, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)


def put_folder(place: Path, write: Callable[[Path], None]) -> None:
    """Have a folder filled beside its place, and moved into it when it is whole and on the disk."""
    made = place.parent / f".{place.name}.{uuid4().hex}"
    place.parent.mkdir(exist_ok=True)
    made.mkdir()
    try:
        write(made)
        for file in made.rglob("*"):
            sync(file)
        sync(made)
        if place.exists():
            old = place.parent / f".{place.name}.{uuid4().hex}"
            os.replace(place, old)
            os.replace(made, place)
            shutil.rmtree(old)
        else:
            os.replace(made, place)
        sync(place.parent)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def hashes(folder: Path) -> dict[str, dict[str, Any]]:
    """Hash and size of every file below a folder, by its path in it."""
    found = {}
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        with file.open("rb") as content:
            digest = file_digest(content, "sha256").hexdigest()
        name = file.relative_to(folder).as_posix()
        found[name] = {"sha256": f"sha256:{digest}", "size": file.stat().st_size}
    return found


def lines_of(file: Path) -> list[dict[str, Any]]:
    """The whole lines of a file of JSON lines; what a kill left half written is not there, nor
    what is no line of ours."""
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return []
    found = []
    for line in text[: text.rfind(b"\n") + 1].splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return [one for one in found if isinstance(one, dict)]


def sync(path: Path) -> None:
    """Have it on the disk, a file or a folder's list of names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(file: Path, content: bytes) -> None:
    with file.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())


def tidy(folder: Path) -> None:
    """Throw away what kills left half made; only for who holds the lock."""
    for place in (folder, folder / "checkpoints"):
        for left in place.glob(".*.*"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
