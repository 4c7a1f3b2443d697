"""Values whose fields carry the sentence below them into the JSON schema.

Pydantic can do this by itself, but reads the sources when the classes are made: 45 ms of every
command for the roles alone. Here they are read when somebody asks for a schema.
"""

from __future__ import annotations

import ast
import inspect
from functools import lru_cache
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from events.message import Value


class Documented(Value):
    """A value with a string literal below each field."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> dict[str, Any]:
        schema = handler(core_schema)
        fields = handler.resolve_ref_schema(schema).get("properties", {})
        for name, sentence in sentences(cls).items():
            if name in fields:
                fields[name]["description"] = sentence
        return schema


@lru_cache(maxsize=256)
def sentences(kind: type) -> dict[str, str]:
    """By field, the literal below it in the source of the class; none where there is no source."""
    try:
        tree = ast.parse(dedent(inspect.getsource(kind)))
    except OSError:
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for field, below in pairwise(body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = inspect.cleandoc(text)
    return found
