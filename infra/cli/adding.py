"""Items of knowledge from a line or a file, checked whole before the first of them is said."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from events.envelope import Draft, parse_time
from events.errors import Malformed, Refused
from events.ids import derived_id
from events.ingress import admitted
from events.store import append
from infra import publishing
from infra.cli.keeping import opened
from infra.fitness import fit
from infra.home import Home, Lock
from infra.publishing import receipt

KIND = "KnowledgeAdded"
JSON = (".json", ".jsonl", ".ndjson")
LARGEST = 1 << 28
"""Bytes of a file."""
AT_ONCE = 8
"""Callers of an owner, who writes what they say together."""
TOGETHER = 500
"""Items in one batch where there is no owner."""


def drafts(text: str, file: str, more: Mapping[str, Any]) -> list[Draft]:
    """What is to be said, of a text or of a file."""
    if bool(text) == bool(file):
        raise Malformed("one text or one file", where="knowledge add", right="TEXT or --file FILE")
    if text:
        return [_said({"text": text, **more})]
    return list(_of_file(file, more))


def added(home: Home, items: Sequence[Draft]) -> list[dict[str, Any]]:
    """Say them all, in their order; the receipts."""
    if home.owner() is None and len(items) > 1:
        with Lock(home) as lock:
            if lock.take():
                return asyncio.run(_written(home, items))
    if len(items) == 1:
        return [publishing.publish(home, items[0])]
    with ThreadPoolExecutor(AT_ONCE) as callers:
        return list(callers.map(lambda one: publishing.publish(home, one), items))


async def _written(home: Home, items: Sequence[Draft]) -> list[dict[str, Any]]:
    store, said = home.writer(), []
    try:
        for first in range(0, len(items), TOGETHER):
            some = items[first : first + TOGETHER]
            said += [receipt(one) for one in await append(store, *some, actor="cli")]
    finally:
        await store.close()
    return said


def _of_file(file: str, more: Mapping[str, Any]) -> Iterator[Draft]:
    with opened(file) as source:
        body = source.read(LARGEST + 1)
    if len(body) > LARGEST:
        what, right = f"the file is larger than {LARGEST:,} bytes", "several smaller ones"
        raise Malformed(what, where=file, right=right)
    try:
        whole = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise Malformed("this is not UTF-8", where=f"{file}, line {line}") from None
    rows = _lines(whole, file) if _is_json(whole, file) else _paragraphs(whole)
    named = {} if file == "-" else {"source": file}
    seen = set()
    for line, row in rows:
        data = {**named, **row, **more}
        event_id = derived_id("knowledge of a file", json.dumps(data, sort_keys=True))
        if event_id in seen:
            continue
        seen.add(event_id)
        try:
            yield _said(data, event_id)
        except Refused as wrong:
            where = f"{file}, line {line}: {wrong.where}"
            raise Malformed(wrong.what, where=where, right=wrong.right) from None


def _said(data: dict[str, Any], event_id: str | None = None) -> Draft:
    """The item as it is said; one that never holds would be lost without a word."""
    one = fit(admitted(KIND, data, event_id))
    begin, end = data.get("valid_from"), data.get("valid_to")
    if begin and end and parse_time(end) <= parse_time(begin):
        what, right = "it ends before it begins", "a time after valid_from"
        raise Malformed(what, where="valid_to", right=right)
    return one


def _is_json(whole: str, file: str) -> bool:
    """By its name, or by how it begins: a list of objects is no text of paragraphs either."""
    return Path(file).suffix in JSON or re.match(r"\s*(\[\s*)?\{", whole) is not None


def _lines(whole: str, file: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(whole.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            what, right = "this is no JSON object", '{"text": "...", "tags": ["..."]}, one a line'
            raise Malformed(what, where=f"{file}, line {number}", right=right)
        yield number, row


def _paragraphs(whole: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """What stands between empty lines."""
    begun, lines = 0, list[str]()
    for number, line in enumerate([*whole.split("\n"), ""], 1):
        if line.strip():
            begun = begun if lines else number
            lines.append(line.strip())
        elif lines:
            yield begun, {"text": "\n".join(lines)}
            lines = []
