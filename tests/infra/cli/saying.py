"""Calling `ratchet` as its users do: `said` within this process, `really` as one of its own.

Both go through `main` with the words of a command line. A process takes a quarter of a second, most
of it for imports; so each command is really started somewhere, and its many cases are only said.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from infra.cli.main import main
from infra.cli.show import Chosen
from tests.infra.processes import RATCHET, ROOT, Ended, environment

Word = str | bytes
ENVELOPE = {
    "position", "event_id", "type", "schema", "stream", "version", "recorded_at", "actor",
    "correlation_id", "cause_id", "data", "hash",
}  # fmt: skip


def said(home: Path, *words: Word, cwd: Path = ROOT, stdin: bytes = b"") -> Ended:
    """One command to its end, in this process."""
    arguments = ["ratchet", "--home", str(home), *map(os.fsdecode, words)]
    with _called(arguments, stdin) as (out, err), chdir(cwd):
        try:
            main()
        except SystemExit as ends:
            code = ends.code
    assert isinstance(code, int | None)
    return _ended(code or 0, out.getvalue(), err.getvalue())


def really(home: Path, *words: Word, cwd: Path = ROOT, stdin: bytes = b"") -> Ended:
    """One command to its end, in a process of its own."""
    done = subprocess.run(
        [*RATCHET, "--home", str(home), *words],
        cwd=cwd,
        env={**environment(), "PYTHONPATH": str(ROOT)},
        input=stdin,
        capture_output=True,
        timeout=180,
        check=False,
    )
    return _ended(done.returncode, done.stdout, done.stderr)


def really_all(home: Path, lines: Sequence[Sequence[Word]], cwd: Path = ROOT) -> list[Ended]:
    """Commands that do not touch each other: as many at a time as there are cores."""
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(lambda line: really(home, *line, cwd=cwd), lines))


def document(home: Path, *words: Word, code: int = 0, cwd: Path = ROOT) -> Any:
    """The one document that a command prints under --json."""
    ended = said(home, *words, "--json", cwd=cwd)
    assert ended.code == code, (words, ended)
    return json.loads(ended.out)


def refused(ended: Ended, code: int, *parts: str) -> None:
    """It said one sentence with these parts in it, and nothing else, and ended with this code."""
    assert ended.code == code, ended
    assert ended.out == ""
    sentence = ended.err.rstrip("\n")
    assert sentence.startswith("ratchet: "), ended.err
    assert "\n" not in sentence
    for part in parts:
        assert part in sentence, sentence


def kept(home: Path) -> dict[str, bytes]:
    """Every file of a home, to see that nothing was touched."""
    return {file.name: file.read_bytes() for file in home.rglob("*") if file.is_file()}


@contextmanager
def _called(arguments: list[str], stdin: bytes) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    """The surroundings of a process, for as long as it would run."""
    out, err = io.BytesIO(), io.BytesIO()
    before = sys.argv, sys.stdin, sys.stdout, sys.stderr, dict(os.environ)
    sys.argv = arguments
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    sys.stdout, sys.stderr = (io.TextIOWrapper(one, write_through=True) for one in (out, err))
    Chosen.home, Chosen.json = None, False
    os.environ.clear()
    os.environ.update(environment())
    try:
        yield out, err
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            stream.detach()
        sys.argv, sys.stdin, sys.stdout, sys.stderr, found = before
        os.environ.clear()
        os.environ.update(found)


def _ended(code: int, out: bytes, err: bytes) -> Ended:
    ended = Ended(code, out.decode(), err.decode())
    assert "Traceback" not in ended.err, ended.err
    assert "╭" not in ended.err, ended.err
    return ended
