"""Models as artifacts: every file by its hash, and a list of them that is the model's own name.

Two models that share files share them in the store; what is brought back is whole, or not there.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path, PurePosixPath
from uuid import uuid4

from events.artifacts import Artifacts
from events.catalog.training import Artifact
from events.errors import LogDamaged

LARGEST = 1 << 20
"""Bytes of a list of files."""


def kept(artifacts: Artifacts, folder: Path, kind: str) -> Artifact:
    """Keep a model's folder."""
    files, size = [], 0
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        ref = artifacts.put_file(file)
        name = file.relative_to(folder).as_posix()
        files.append({"path": name, "sha256": ref.sha256, "size": ref.size})
        size += ref.size
    listed = artifacts.put(json.dumps({"files": files}, indent=1).encode())
    return Artifact(kind=kind, sha256=listed.sha256, size=size)


def brought(artifacts: Artifacts, reference: str, shelf: Path) -> Path:
    """The folder of a model that was kept; the same path each time."""
    place = shelf / reference.removeprefix("sha256:")[:16]
    if place.is_dir():
        return place
    beside = shelf / f".{place.name}.{uuid4().hex}"
    beside.mkdir(parents=True)
    try:
        for one in json.loads(artifacts.read(reference, LARGEST))["files"]:
            file = beside / _within(one["path"])
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as target:
                for chunk in artifacts.chunks(one["sha256"]):
                    target.write(chunk)
        os.replace(beside, place)
    except OSError:
        if not place.is_dir():  # else somebody else was quicker
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return place


def _within(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise LogDamaged("a model lists a file outside of itself", where=name[:200])
    return path
