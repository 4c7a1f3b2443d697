"""What every command shares: its home, its answer as JSON or as text, progress, its errors."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from events.errors import Malformed, RatchetError

if TYPE_CHECKING:
    from events.store import EventStore
    from infra.home import Home

T = TypeVar("T")
WAITING = ("publish", "runs", "models", "memories", "messages")
"""Commands that can wait for an answer."""
RUN = re.compile("[0-9a-f]{12}")
"""A run's id, which may happen to read as a number: 866683156e21."""
NUMBER = re.compile(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?|nan|inf", re.IGNORECASE)


class Chosen:
    """What was said on the line for all commands."""

    home: str | None = None
    json: bool = False


def options(arguments: Sequence[str]) -> list[str]:
    """Take `--home` and `--json` out of the line, wherever they stand before a bare `--`."""
    left: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            return [*_with_wait(left), word, *words]
        if word == "--json":
            Chosen.json = True
        elif word == "--home":
            Chosen.home = next(words, None)
            if not Chosen.home:
                failure(Malformed("--home names no folder", where="--home", right="--home DIR"))
                sys.exit(2)
        elif word.startswith("--home="):
            Chosen.home = word.removeprefix("--home=")
        else:
            left.append(word)
    return _with_wait(left)


def _with_wait(words: list[str]) -> list[str]:
    """A `--wait` without a number waits for 30 seconds."""
    if not words or words[0] not in WAITING:
        return words
    made: list[str] = []
    for word, behind in zip(words, [*words[1:], ""], strict=True):
        made.append(word)
        if word == "--wait" and (RUN.fullmatch(behind) or not NUMBER.fullmatch(behind)):
            made.append("30")
    return made


def home() -> Home:
    """The home that this command is about."""
    from infra.home import Home  # 100 ms that --help must not pay
    from infra.settings import configuration, home_folder

    store = configuration().settings.store
    return Home(home_folder(Chosen.home), store.url, store.artifacts)


def reading(question: Callable[[EventStore], Awaitable[T]]) -> T:
    """Ask the log something; in a home without a log it is an empty one."""

    async def asked() -> T:
        store = home().reader()
        try:
            return await question(store)
        finally:
            await store.close()

    return asyncio.run(asked())


def answer(document: Any, text: str | None = None) -> None:
    """Print the answer: the document under --json, else the text."""
    if Chosen.json or text is None:
        print(json.dumps(document, ensure_ascii=False, indent=None if Chosen.json else 2))
    elif text:
        print(text)
    sys.stdout.flush()


def failure(error: RatchetError) -> None:
    """Print what is wrong, where, and what would be right."""
    if Chosen.json:
        print(json.dumps({"error": error.body()}, ensure_ascii=True), flush=True)
    print(f"ratchet: {error}", file=sys.stderr, flush=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as they need to be."""
    cells = [[str(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
    return "\n".join(line.rstrip() for line in lines)


def progress(what: str) -> Callable[[int, int], None]:
    """Tell on standard error how far a long reading has come: a line that moves, or lines."""
    began = shown = time.monotonic()
    moving = sys.stderr.isatty()

    def told(done: int, whole: int) -> None:
        nonlocal shown
        now = time.monotonic()
        early = now - shown < (0.1 if moving else 2.0) and done < whole
        if early or now - began < 0.5:
            return
        shown = now
        rate = done / (now - began)
        left = f", {(whole - done) / rate:.0f} s left" if 0 < done < whole else ""
        line = f"{what}: {done:,} of {whole:,} events, {rate:,.0f}/s{left}"
        ends = "\r" if moving and done < whole else "\n"
        print(f"\x1b[2K{line}" if moving else line, end=ends, file=sys.stderr, flush=True)

    return told


def mute() -> None:
    """Send what is still to be printed nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
