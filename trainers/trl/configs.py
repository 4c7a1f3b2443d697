"""A config of TRL, made of our settings and of what a job sets by TRL's own names.

Such a field has to be one of the config's, and its value of the type that stands there: dataclasses
look at neither the one nor the other, and would tell of it after an hour, or never.
"""

from __future__ import annotations

import typing
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from events.suggest import near
from trainers.failures import JobFailed, Usage, out_of_memory
from trainers.trl.contract import look
from trainers.trl.fields import OURS_ALONE, Fields

WHERE = "recipe.settings.trl"


def config_of(name: str, ours: Fields, own: Fields) -> Any:
    """The config of this name; the error of a wrong field names what would be right."""
    kind = look(name)
    for field, value in own.items():
        _check(kind, name, field, value)
    with refusals():
        return kind(**(ours | own))


@contextmanager
def refusals() -> Iterator[None]:
    """What TRL says to a combination that it does not take is the answer to the settings."""
    try:
        yield
    except JobFailed:
        raise
    except (ValueError, TypeError, ImportError, RuntimeError) as error:
        if out_of_memory(error):
            raise
        said = " ".join(str(error).split())[:500]
        right = "settings that go together, or what it wants installed"
        raise Usage(f"TRL refuses: {said}", where="recipe.settings", right=right) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without one warning: TRL asks transformers by a name that is going to be another."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield


def _check(kind: Any, name: str, field: str, value: Any) -> None:
    known = {one.name for one in fields(kind) if one.init}
    where = f"{WHERE}.{field}"
    if field not in known:
        meant = near(field, known)
        right = f"did you mean {meant!r}?" if meant else f"a field of {name}"
        raise Usage(f"{name} has no field {field!r}", where=where, right=right)
    if field in OURS_ALONE:
        right = "the job's own seed, resources and settings: steps, batch, microbatch, save_every"
        raise Usage(f"{field!r} is the job's own business", where=where, right=right)
    try:
        TypeAdapter(typing.get_type_hints(kind)[field]).validate_python(value)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"]
        raise Usage(f"{value!r} is no value of {field!r}", where=where, right=said) from None
