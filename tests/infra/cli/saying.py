"""Calling `ratchet` as a user does, several at a time where they do not touch each other."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.infra.processes import RATCHET, ROOT, Ended, environment

Word = str | bytes
ENVELOPE = {
    "position", "event_id", "type", "schema", "stream", "version", "recorded_at", "actor",
    "correlation_id", "cause_id", "data", "hash",
}  # fmt: skip


def said(home: Path, *words: Word, cwd: Path = ROOT, stdin: bytes = b"") -> Ended:
    """One command, as text, to its end; nothing it says may be a traceback."""
    done = subprocess.run(
        [*RATCHET, "--home", str(home), *words],
        cwd=cwd,
        env={**environment(), "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    ended = Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in ended.err, ended.err
    assert "╭" not in ended.err, ended.err
    return ended


def document(home: Path, *words: Word, code: int = 0, cwd: Path = ROOT) -> Any:
    """The one document that a command prints under --json."""
    ended = said(home, *words, "--json", cwd=cwd)
    assert ended.code == code, (words, ended)
    return json.loads(ended.out)


def refused(ended: Ended, code: int, *parts: str) -> None:
    """It ended with this code and one sentence, in which these parts stand; it said nothing else."""
    assert ended.code == code, ended
    assert ended.out == ""
    sentence = ended.err.rstrip("\n")
    assert sentence.startswith("ratchet: "), ended.err
    assert "\n" not in sentence
    for part in parts:
        assert part in sentence, sentence


def all_of(home: Path, lines: Sequence[Sequence[Word]], cwd: Path = ROOT) -> list[Ended]:
    """Commands that only read, or that are refused: as many at a time as there are cores."""
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(lambda line: said(home, *line, cwd=cwd), lines))


def kept(home: Path) -> dict[str, bytes]:
    """Every file of a home, to see that nothing was touched."""
    return {file.name: file.read_bytes() for file in home.rglob("*") if file.is_file()}
