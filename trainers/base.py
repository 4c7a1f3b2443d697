"""The model that a job starts from, looked at without loading it.

A folder has to hold a readable config and whole weights: a safetensors file says in its head how
long it is, so one that was cut off is found here and not after an import of five seconds. What is
no folder is taken for a hub id, and only loading can tell whether it is there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from trainers.failures import BadBase

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")
RIGHT = "a folder with config.json, tokenizer and safetensors weights, or a hub id such as org/name"
LONGEST = 100_000_000
"""Bytes of the head of a safetensors file."""


def check_base(base: str, field: str = "base") -> None:
    """Stop with one sentence where this cannot be a model."""
    folder = Path(base).expanduser()
    if not folder.is_dir():
        if folder.exists() or not HUB_ID.fullmatch(base):
            what = "is no folder" if folder.exists() else "is not there"
            raise BadBase(f"the model {base!r} {what}", where=field, right=RIGHT)
        return
    adapter = folder / "adapter_config.json"
    _json(adapter if adapter.exists() else folder / "config.json", field)
    weights = sorted(folder.glob("*.safetensors"))
    if not weights and not any(folder.glob("*.bin")):
        raise BadBase(f"the model {base!r} has no weights", where=field, right=RIGHT)
    for file in weights:
        _whole(file, field)


def _json(file: Path, field: str) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        what = f"the model has no {file.name} in {file.parent}"
        raise BadBase(what, where=field, right=RIGHT) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadBase(f"{file} cannot be read ({error})", where=field, right=RIGHT) from None
    if not isinstance(found, dict):
        raise BadBase(f"{file} holds no object", where=field, right=RIGHT)
    return found


def _whole(file: Path, field: str) -> None:
    """Whether the file is as long as its head says."""
    try:
        with file.open("rb") as source:
            length = int.from_bytes(source.read(8), "little")
            head: Any = json.loads(source.read(length)) if 0 < length < LONGEST else None
        ends = [one["data_offsets"][1] for name, one in head.items() if name != "__metadata__"]
        sound = file.stat().st_size == 8 + length + max(ends, default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        sound = False
    if not sound:
        what = f"{file} is cut off or broken"
        raise BadBase(what, where=field, right="the file, copied whole")
