"""What sources are asked for in tests, and a client that has its pages in a table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from agents.data_generator.sources.client import Page
from agents.data_generator.sources.source import Order, SourceFailed
from events.catalog.parts import PartRequested
from trainers.model_types import model_type
from trainers.model_types.kind import ModelType, Problem, held_out


def order(folder: Path, source: str, kind: str = "sentiment_analysis", **asked: Any) -> Order:
    """For ten rows, unless told otherwise."""
    whole = {
        "dataset": "5d1c", "part": 1, "attempt": 1, "role": "support", "quantity": 10,
        "seed": 7, "difficulty": 0.5, "kind": "trajectories", **asked,
    }  # fmt: skip
    request = PartRequested(source=source, model_type=kind, **whole)
    return Order(request, 100, model_type(kind), None, folder, lambda _: None)


def problems(kind: ModelType, many: int, seed: int = 1) -> list[Problem]:
    """Different ones that no evaluation asks."""
    found: dict[str, Problem] = {}
    for one in kind.problems(seed):
        if not held_out(one.prompt):
            found.setdefault(one.prompt, one)
        if len(found) == many:
            return list(found.values())
    raise AssertionError("problems end")


def reviews(many: int, seed: int = 1) -> list[dict[str, Any]]:
    """Labelled reviews, as somebody's data would have them."""
    return [
        {"text": one.prompt.removesuffix(" =>"), "sentiment": one.answer["sentiment"]}
        for one in problems(model_type("sentiment_analysis"), many, seed)
    ]


class Table:
    """A client for pages in a table; robots.txt allows everything unless it says otherwise."""

    def __init__(self, pages: Mapping[str, Page | SourceFailed]) -> None:
        self.pages = dict(pages)
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = {},
        hosts: Collection[str] | None = None,
        most: int = 1,
    ) -> Page:
        assert hosts is not None, "sources say which hosts may answer"
        assert most > 0
        self.asked.append(url)
        self.headers.append(headers)
        page = self.pages.get(url, Page(url, 404, "text/plain", b""))
        if isinstance(page, SourceFailed):
            raise page
        return page


def page(url: str, body: str, kind: str = "application/json", status: int = 200) -> Page:
    return Page(url, status, kind, body.encode())
