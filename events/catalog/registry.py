"""Models that people bring along: kept whole, and named so that runs can begin from them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from events.catalog.imports import Licence
from events.catalog.training import Artifact
from events.message import Event, Name

Note = Annotated[str, Field(max_length=2000)]


class ModelAdded(Event, wire="ModelAdded", by="operator", stream="model/{name}"):
    """Somebody brought a model along: its files are kept here, and its name is a base for runs."""

    name: Name
    """As trainings call it: `base=NAME`."""
    model: Artifact
    licence: Licence = "unknown"
    note: Note = ""
    """Where it comes from, or what it is good for."""

    example: ClassVar[dict[str, Any]] = {
        "name": "qwen-small",
        "model": {"kind": "base", "sha256": "sha256:" + "0" * 64, "size": 1024},
        "licence": "Apache-2.0",
        "note": "from our own hub",
    }
