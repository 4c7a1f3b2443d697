"""The mark on texts about a person: they lie in the log sealed, and can be forgotten.

Who says an event says such a field in plain text. What is kept of it, and what every reader, agent
and projection is given, is a token that only the subject's own key opens (see `events.sealing`). A
class takes a token in the place of the text, whatever else it asks of the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

PREFIX = "sealed:1:"
"""With this begins what stands in the log in the place of a personal text."""
MARK = "x-personal"
"""The same, in a JSON Schema."""


class Personal:
    """Marks a field: `comment: Annotated[str, Field(max_length=4000), Personal] = ""`.

    It stands last, so that what is asked of the text is asked of the plain text only.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_token_or_text, handler(source))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), MARK: True}


def is_sealed(value: object) -> bool:
    """Whether this stands in the place of a text."""
    return isinstance(value, str) and value.startswith(PREFIX)


def personal_fields(kind: type[BaseModel]) -> tuple[str, ...]:
    """Which fields of a class are personal."""
    return tuple(name for name, field in kind.model_fields.items() if Personal in field.metadata)


def misplaced(kind: type[BaseModel]) -> str:
    """The field whose mark would protect nothing, or not as it says; '' where all is well."""
    for name, field in kind.model_fields.items():
        marked = Personal in field.metadata
        if marked and (field.metadata[-1] is not Personal or not _is_text(field)):
            return name
        if any(True for _ in _below(field.annotation, set())):
            return name
    return ""


def _is_text(field: FieldInfo) -> bool:
    return field.annotation is str or set(get_args(field.annotation)) == {str, type(None)}


def _below(annotation: Any, seen: set[Any]) -> Iterator[str]:
    """Marks deeper than on the field itself: inside a list, an alternative, another value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation not in seen:
            seen.add(annotation)
            for name, field in annotation.model_fields.items():
                if Personal in field.metadata:
                    yield name
                yield from _below(field.annotation, seen)
        return
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated and Personal in inner:
        yield str(annotation)
    for one in inner:
        if not isinstance(one, str | bytes | int):
            yield from _below(one, seen)


def _token_or_text(value: Any, text: core_schema.ValidatorFunctionWrapHandler) -> Any:
    return value if is_sealed(value) else text(value)
