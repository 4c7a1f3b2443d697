"""Models out of the artifacts, as files: all of them in a new folder, or nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from agents.trainer.workers.models import brought
from events.artifacts import Artifacts
from events.errors import Malformed, ReadOnly

CONFIG = "adapter_config.json"


def written_out(artifacts: Artifacts, wanted: Mapping[str, str], folder: Path) -> list[str]:
    """Models by their hashes, each in the folder of its name; what is nameless is the folder."""
    folder = folder.expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        right = "a folder that is not there yet"
        raise Malformed("there is something already", where=str(folder), right=right)
    beside = folder.parent / f".{folder.name}.{uuid4().hex}"
    whole = beside / "whole"
    try:
        whole.mkdir(parents=True)
        for name, sha256 in wanted.items():
            os.replace(brought(artifacts, sha256, beside), whole / name)
        _named(whole / "adapter" / CONFIG, folder / "base")
        os.replace(whole, folder)
    except OSError as error:
        what = f"this cannot be written ({error.strerror})"
        raise ReadOnly(what, where=str(folder), right="a folder of your own") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())


def _named(config: Path, base: Path) -> None:
    """Adapters say what they were put on: the folder beside them."""
    if config.is_file():
        told = json.loads(config.read_bytes()) | {"base_model_name_or_path": str(base)}
        config.write_text(json.dumps(told, indent=1, sort_keys=True))
