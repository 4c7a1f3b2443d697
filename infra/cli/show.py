"""What every command shares: its home, its answer as JSON or as text, progress, its errors."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
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
NARROW = 12
"""Characters that a column keeps on the narrowest terminal."""
NUMBER = re.compile(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?|nan|inf", re.IGNORECASE)
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys instead of showing it: colours, titles, other directions of writing."""


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
        elif word == "-h":
            left.append("--help")
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


def called() -> str:
    """How this command was called, for commands that are to be typed next."""
    path = Path(sys.argv[0])
    found = shutil.which("ratchet")
    if path.name != "ratchet" or (found and Path(found).resolve() == path.resolve()):
        word = "ratchet"
    else:
        word = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    given = f" --home {shlex.quote(Chosen.home)}" if Chosen.home else ""
    return f"{word}{given}"


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
        said = json.dumps(document, ensure_ascii=False, indent=None if Chosen.json else 2)
        print(plain(said))
    elif text:
        print(plain(text))
    sys.stdout.flush()


def plain(text: str) -> str:
    """Words of others cannot steer the terminal that shows them; in JSON they mean the same."""
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def failure(error: RatchetError) -> None:
    """Print what is wrong, where, and what would be right."""
    if Chosen.json:
        print(json.dumps({"error": error.body()}, ensure_ascii=True), flush=True)
    with suppress(OSError):  # the code says it, too, where standard error takes nothing
        print(f"ratchet: {plain(str(error))}", file=sys.stderr, flush=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as they need to be; on a terminal that is narrower, cells are broken."""
    cells = [[" ".join(str(cell).splitlines()) for cell in row] for row in [headings, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if sys.stdout.isatty():
        least = [max(NARROW, len(one)) for one in cells[0]]
        widths = _fitting(widths, least, shutil.get_terminal_size().columns)
    lines = []
    for row in cells:
        broken = [_broken(cell, wide) for cell, wide in zip(row, widths, strict=True)]
        lines += [
            "  ".join(part.ljust(wide) for part, wide in zip(parts, widths, strict=True)).rstrip()
            for parts in zip_longest(*broken, fillvalue="")
        ]
    return "\n".join(lines)


def _fitting(widths: list[int], least: list[int], columns: int) -> list[int]:
    """Room is taken from the widest, as long as its heading and a word have room in it."""
    made, over = list(widths), sum(widths) + 2 * (len(widths) - 1) - columns
    for _ in range(over):
        places = [place for place, wide in enumerate(made) if wide > least[place]]
        if not places:
            break
        made[max(places, key=made.__getitem__)] -= 1
    return made


def _broken(cell: str, wide: int) -> list[str]:
    """A cell in lines of that width; an id is broken only where it is longer than all of it."""
    return textwrap.wrap(cell, wide) or [""] if len(cell) > wide else [cell]


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


def open_streams() -> None:
    """Nowhere in the place of a standard stream that is closed. The next file to be opened, perhaps
    the log, would else be given its number, and whatever is printed."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            made = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: its own
            setattr(sys, name, os.fdopen(made, "w" if number else "r", encoding="utf-8"))


def mute() -> None:
    """Send what is still to be printed nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
