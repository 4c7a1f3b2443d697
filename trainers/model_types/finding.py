"""Where a model type is: ours in a table, others behind a path, `path/to/file.py:NAME`, or entry
points of the group `ratchet.types`.

Somebody's own type is as trusted as the settings that name it: its file is run. What is wrong with
it is told in one sentence, with the file and the line.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from pydantic import BaseModel

from events.errors import Malformed, NotFound, RatchetError
from events.suggest import near

T = TypeVar("T")

TYPES: dict[str, str] = {
    "arithmetic_reasoning": "trainers.model_types.arithmetic_reasoning",
    "sentiment_analysis": "trainers.model_types.sentiment_analysis",
    "content_moderation": "trainers.model_types.content_moderation",
    "code_generation": "trainers.model_types.code_generation",
    "support_replies": "trainers.model_types.support_replies",
}
"""Ours: each module has its type as TYPE."""
GROUP = "ratchet.types"
NEEDED = (
    "name", "schema", "rewards", "problems", "solve", "completion", "preprocess",
    "validate_output", "verify", "metrics", "suite", "vocabulary",
)  # fmt: skip
RIGHT = "what ModelType in trainers/model_types/kind.py names"


def model_type(name: str) -> Any:
    """The model type of this name, or of this file or folder."""
    if name in TYPES:
        return import_module(TYPES[name]).TYPE
    place, _, attribute = name.partition(":")
    if place.endswith(".py") or "/" in place:
        return _of_file(place, attribute)
    for point in installed():
        if point.name == name:
            return _of_entry_point(point)
    names = [*TYPES, *(point.name for point in installed())]
    meant = near(name, names)
    right = f"did you mean {meant!r}?" if meant else f"{', '.join(names)}, or path/to/file.py"
    raise NotFound(f"there is no model type {name[:100]!r}", where="model_type", right=right)


def installed() -> list[EntryPoint]:
    """The types that installed packages offer, those with a name of ours left out."""
    found = entry_points(group=GROUP)
    return sorted((point for point in found if point.name not in TYPES), key=lambda one: one.name)


def origin(found: Any) -> Path:
    """The file in which a type is written."""
    module = sys.modules.get(type(found).__module__)
    return Path(getattr(module, "__file__", None) or type(found).__module__)


def blamed(file: Path, doing: str, do: Callable[[], T]) -> T:
    """Do something with a type of somebody's own; an error in it names its line."""
    try:
        return do()
    except RatchetError:
        raise
    except (Exception, SystemExit) as error:  # whatever is wrong with it
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}".rstrip(": ")
        where = f"{file}:{_line(file, error)}"
        raise Malformed(f"{doing} ended with {said}", where=where, right=RIGHT) from None


def _of_file(place: str, attribute: str) -> Any:
    file = Path(place).expanduser().absolute()
    file = file / "__init__.py" if file.is_dir() else file
    if not file.is_file():
        right = "a file with a type as TYPE, or a folder with such an __init__.py"
        raise NotFound("there is no such file", where=str(file), right=right)
    module = blamed(file, "loading this file", lambda: _loaded(file))
    found = getattr(module, attribute or "TYPE", None)
    if found is None:
        what = f"nothing in it is named {attribute or 'TYPE'!r}"
        raise Malformed(what, where=str(file), right="TYPE = YourType(), or path/to/file.py:NAME")
    return _whole(found, file)


def _of_entry_point(point: EntryPoint) -> Any:
    named = Path(point.value)
    found = blamed(named, f"loading the entry point {point.name!r}", point.load)
    return _whole(found, named)


def _loaded(file: Path) -> ModuleType:
    """The file, or the folder around it, as a module under a name that no other can have."""
    name = f"ratchet_type_{sha256(bytes(file)).hexdigest()[:16]}"
    inside = [str(file.parent)] if file.name == "__init__.py" else None
    spec = spec_from_file_location(name, file, submodule_search_locations=inside)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # pydantic and dataclasses look their modules up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _whole(found: Any, file: Path) -> Any:
    """An instance with all that a type needs; a class is made one."""
    if isinstance(found, type):
        made = found
        found = blamed(file, f"{made.__name__}()", lambda: made())
    missing = [one for one in NEEDED if not hasattr(found, one)]
    if missing:
        raise Malformed(f"the type lacks {', '.join(missing)}", where=str(file), right=RIGHT)
    if not (isinstance(found.schema, type) and issubclass(found.schema, BaseModel)):
        right = "a class that inherits from pydantic.BaseModel"
        raise Malformed("its schema is no pydantic model", where=str(file), right=right)
    return found


def _line(file: Path, error: BaseException) -> int:
    """The last line of this file, or of its folder, that was at work."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno or 1
    frames = traceback.extract_tb(error.__traceback__)
    own = [one.lineno for one in frames if one.filename == str(file)]
    return (own[-1] if own else None) or 1
