"""The way of a source to the outside: one client that others hold, and what it gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from agents.data_generator.sources.source import SourceFailed

LARGEST = 32 << 20
"""Bytes of one page, unless told."""


class Page(NamedTuple):
    """What came of an address."""

    url: str
    """After redirects."""
    status: int
    kind: str
    """Its media type, in small letters, without parameters."""
    body: bytes


class Client(Protocol):
    """Reads addresses; refuses those of private networks, whatever leads there."""

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = ...,
        hosts: Collection[str] | None = ...,
        most: int = ...,
    ) -> Page:
        """The page; with `hosts`, from these alone. `SourceFailed` where there is none, or where it
        is larger than `most`."""


def read(page: Page) -> Page:
    """The same page, where it is one and not an error."""
    if page.status == 200:
        return page
    raise SourceFailed(
        f"the answer is {page.status}",
        where=page.url,
        right="an address that answers, and a key that it takes",
        retryable=page.status >= 500 or page.status in (408, 429),
    )
