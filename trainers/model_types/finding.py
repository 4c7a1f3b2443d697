"""Where a model type is: ours in a table, others behind `path/to/file.py:NAME` or entry points."""

from __future__ import annotations

import traceback
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from events.errors import Malformed, NotFound
from events.suggest import near

TYPES: dict[str, str] = {
    "arithmetic_reasoning": "trainers.model_types.arithmetic_reasoning",
}
"""Ours: each module has its type as TYPE."""
GROUP = "ratchet.types"
NEEDED = (
    "name", "schema", "rewards", "problems", "solve", "completion", "preprocess",
    "validate_output", "verify", "metrics", "suite", "vocabulary",
)  # fmt: skip


def model_type(name: str) -> Any:
    """The model type of this name, or of this file."""
    if name in TYPES:
        return import_module(TYPES[name]).TYPE
    if name.partition(":")[0].endswith(".py"):
        return _of_file(name)
    for point in entry_points(group=GROUP):
        if point.name == name:
            return _whole(point.load(), name)
    meant = near(name, TYPES)
    right = f"did you mean {meant!r}?" if meant else f"{', '.join(TYPES)}, or path/to/file.py"
    raise NotFound(f"there is no model type {name[:100]!r}", where="model_type", right=right)


def _of_file(name: str) -> Any:
    path, _, attribute = name.partition(":")
    file = Path(path).expanduser()
    if not file.is_file():
        raise NotFound("there is no such file", where=path, right="a file with a type as TYPE")
    module = _loaded(file)
    found = getattr(module, attribute or "TYPE", None)
    if found is None:
        what = f"nothing in it is named {attribute or 'TYPE'!r}"
        raise Malformed(what, where=path, right="TYPE = YourType()")
    return _whole(found, path)


def _loaded(file: Path) -> ModuleType:
    """Somebody's own file, run as a module: it is as trusted as the settings that name it."""
    spec = spec_from_file_location(f"ratchet_type_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever is wrong with it is told by its line
        last = traceback.extract_tb(error.__traceback__)[-1]
        line = error.lineno if isinstance(error, SyntaxError) else last.lineno
        what = f"it cannot be loaded ({type(error).__name__}: {error})"
        raise Malformed(what, where=f"{file}:{line}", right="a module that Python runs") from None
    return module


def _whole(found: Any, where: str) -> Any:
    missing = [one for one in NEEDED if not hasattr(found, one)]
    if missing:
        what = f"the type lacks {', '.join(missing)}"
        raise Malformed(what, where=where, right="what trainers/model_types/kind.py names")
    return found
