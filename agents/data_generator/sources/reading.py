"""Rows in what others send: JSON, JSON lines, CSV, or the tables of a page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from agents.data_generator.sources.client import Page
from agents.data_generator.sources.source import SourceFailed

MOST = 1_000_000
"""Rows that are read of one page."""
CELL = 100_000
"""Characters of a cell."""
LISTS = ("rows", "data", "items", "results", "examples")
"""Under which names a JSON object may hold its rows."""


def rows_of(page: Page) -> Iterator[object]:
    """What stands in it, row by row; whether each is a row is for others to say."""
    text = page.body.decode("utf-8", "replace")
    ending = page.url.partition("?")[0].rpartition(".")[2].lower()
    if "html" in page.kind:
        yield from tables(text).rows[:MOST]
    elif "csv" in page.kind or ending == "csv":
        yield from _csv(page, text)
    elif "json" in page.kind or ending in ("json", "jsonl", "ndjson") or text.lstrip()[:1] in "[{":
        yield from _json(page, text)
    else:
        raise SourceFailed(
            f"{page.kind or 'something'} has no rows",
            where=page.url,
            right="JSON, JSON lines, CSV, or a page with tables",
            retryable=False,
        )


def following(page: Page) -> str:
    """The address of the next page, where the answer names one."""
    try:
        found = json.loads(page.body)
    except (ValueError, RecursionError):
        return ""
    named = found.get("next") if isinstance(found, dict) else None
    return named if isinstance(named, str) else ""


def _json(page: Page, text: str) -> Iterator[object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        for line in text.split("\n")[:MOST]:  # a text may hold other ends of lines
            if line.strip():
                yield _line(line)
        return
    if isinstance(found, dict):
        named = next((name for name in LISTS if isinstance(found.get(name), list)), None)
        found = [found] if named is None else found[named]
    if not isinstance(found, list):
        raise SourceFailed("the JSON holds no rows", where=page.url, retryable=False)
    yield from found[:MOST]


def _line(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _csv(page: Page, text: str) -> Iterator[object]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for number, row in enumerate(rows):
            if number == MOST:
                return
            yield None if None in row or None in row.values() else row
    except csv.Error as error:
        where = f"{page.url}, line {rows.line_num}"
        raise SourceFailed(f"it is no CSV ({error})", where=where, retryable=False) from None


def tables(text: str) -> Tables:
    """The tables of a page, each row by the names in the head of its table."""
    parser = Tables()
    parser.feed(text)
    parser.close()
    return parser


class Tables(HTMLParser):
    """Reads tables, and the licence that a page states."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[dict[str, Any]] = []
        self.licence = ""
        self._head: list[str] = []
        self._cells: list[str] | None = None
        self._is_head = False
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        match tag:
            case "a" | "link" if "license" in str(named.get("rel") or "").split():
                self.licence = str(named.get("href") or "")[:200]
            case "table":
                self._head = []
            case "tr":
                self._cells, self._is_head = [], True
            case "td" | "th" if self._cells is not None:
                self._end_cell()
                self._cell = []
                self._is_head &= tag == "th"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._end_cell()
        elif tag == "tr" and self._cells is not None:
            self._end_cell()
            if self._is_head and self._cells:
                self._head = self._cells
            elif self._head and len(self._cells) == len(self._head) and len(self.rows) < MOST:
                self.rows.append(dict(zip(self._head, self._cells, strict=True)))
            self._cells = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data[:CELL])

    def _end_cell(self) -> None:
        if self._cell is not None and self._cells is not None:
            self._cells.append(" ".join("".join(self._cell).split())[:CELL])
        self._cell = None
