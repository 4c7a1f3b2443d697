"""The manifest of a job: what it was made of, what was found out on the way, what was made.

What a run finds out before its first step, such as the batch that fits, is noted here at once; so
a job that is started again goes on with the same.
"""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from events.catalog.jobs import JobSpec
from trainers.failures import Usage
from trainers.folder import hashes, put

LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "tokenizers", "numpy")


class Manifest:
    """That of one job, kept in its folder."""

    def __init__(self, spec: JobSpec, folder: Path) -> None:
        self._file = folder / "manifest.json"
        text = spec.model_dump_json().encode()
        whole = f"sha256:{hashlib.sha256(text).hexdigest()}"
        found = self._read()
        if found.get("spec", whole) != whole:
            raise Usage(
                f"the folder belongs to another spec of job {found.get('job')!r}",
                where=str(folder),
                right="a folder of its own for each job",
            )
        self._content: dict[str, Any] = {
            "job": spec.job,
            "spec": whole,
            "data": [one.model_dump() for one in spec.data],
            "versions": {"python": platform.python_version(), **_versions()},
            "facts": found.get("facts", {}),
            "files": {},
        }
        self._write()

    def note(self, name: str, value: Any) -> None:
        """Keep something that was found out."""
        self._content["facts"][name] = value
        self._write()

    def noted(self, name: str) -> Any:
        """What was found out under this name, in this start or an earlier one; else None."""
        return self._content["facts"].get(name)

    def finish(self, folder: Path) -> None:
        """Write down the hash of all that was made."""
        made = {f"model/{name}": one for name, one in hashes(folder / "model").items()}
        for file in ("metrics.jsonl", "per_item.jsonl"):
            if (folder / file).exists():
                made[file] = _hash(folder / file)
        self._content["files"] = made
        self._write()

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self) -> None:
        put(self._file, json.dumps(self._content, indent=1, sort_keys=True).encode())


def _hash(file: Path) -> dict[str, Any]:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"sha256": f"sha256:{digest}", "size": file.stat().st_size}


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
