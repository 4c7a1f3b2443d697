"""Rows, read and checked before anything heavy loads.

A file is read line by line, and what is wrong is told by its line: several findings at once, never
more than twenty. What no trainer could learn from is refused here, in a second and in little
memory, not found out after an hour.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from events.catalog.jobs import DataRef, JobSpec
from events.suggest import malformed, near
from trainers.failures import BadData
from trainers.folder import data_file
from trainers.rows import Prompted, Row, held_out_kind, row_kind

LARGEST = 10_000_000
"""Bytes of one row."""
CHUNK = 1 << 16
TOLD = 20
"""Findings that are told; beyond them reading ends."""
REPEATED = 0.01
"""Share of the rows that may stand there twice; samples of a small language do by chance."""
TRAIN, HELD_OUT = "train", "held_out"
WANTED = {"measure": HELD_OUT, "begin": "", "harness": HELD_OUT}
"""Of trainers that learn from no rows, what they cannot do without."""


class Finding(NamedTuple):
    """What is wrong, and in which line; line 0 is the whole file."""

    line: int
    wrong: str


class Checked(NamedTuple):
    """What a check found to be in order."""

    rows: int
    repeated: int


@dataclass
class _Seen:
    """What has to be remembered of the rows that went by: a few bytes of each."""

    first: dict[bytes, int] = field(default_factory=dict)
    repeats: list[Finding] = field(default_factory=list)
    repeated: int = 0
    labels: set[bytes] = field(default_factory=set)
    """The first two; more need not be told apart."""
    rows: int = 0


def check(spec: JobSpec, folder: Path, settings: Any) -> dict[str, Checked]:
    """All rows of a job; every file is what the spec says, and can be trained on."""
    kind = row_kind(spec.trainer, settings)
    wanted = WANTED.get(spec.trainer, "" if ":" in spec.trainer else TRAIN)
    if wanted and spec.data_named(wanted) is None:
        meant = near(wanted, [one.name for one in spec.data])
        named = f"data named {wanted!r}" + (f", not {meant!r}" if meant else "")
        raise BadData("there is nothing to train on", where="data", right=named)
    end = getattr(settings, "end", "")
    least = settings.batch if hasattr(settings, "batch") else 1
    checked = {}
    for ref in spec.data:
        file = data_file(folder, ref.sha256)
        if ref.name == TRAIN:
            checked[ref.name] = check_file(ref, file, kind, end, least)
        elif ref.name == HELD_OUT:  # may have other fields than what is learned from
            first = _first(file, ref.name)
            evaluated = held_out_kind(spec.trainer, settings, first)
            checked[ref.name] = check_file(ref, file, evaluated)
        else:
            checked[ref.name] = check_file(ref, file, Row if kind is Row else Prompted)
    return checked


def check_file(ref: DataRef, file: Path, kind: type[Row], end: str = "", least: int = 1) -> Checked:
    """One file; the error tells its first findings by their lines."""
    seen, findings = _Seen(), []
    digest = hashlib.sha256()
    for line, text in _lines(file, ref.name, digest):
        wrong = _line_wrong(text, kind, end, line, seen)
        if wrong:
            findings.append(Finding(line, wrong))
        if len(findings) >= TOLD:
            break
    else:
        findings += _whole_wrong(ref, f"sha256:{digest.hexdigest()}", seen, findings, least)
    if findings:
        raise BadData(_told(findings), where=f"data {ref.name!r}, {file}", right=_right(kind))
    return Checked(seen.rows, seen.repeated)


def rows(file: Path, name: str) -> Iterator[dict[str, Any]]:
    """The rows of a file that was checked."""
    for _, text in _lines(file, name, hashlib.sha256()):
        yield json.loads(text)


def too_long(many: int, longest: int) -> BadData:
    """None of the rows can be learned from, as their tokens show."""
    return BadData(
        f"all {many:,} rows have more than {longest:,} tokens",
        where="recipe.settings.max_length",
        right="a greater one, or shorter rows",
    )


def _first(file: Path, name: str) -> dict[str, Any]:
    """The first row, or nothing where it is none."""
    try:
        _, text = next(_lines(file, name, hashlib.sha256()))
        found = json.loads(text)
    except (StopIteration, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _lines(file: Path, name: str, digest: Any) -> Iterator[tuple[int, bytes]]:
    """Every line by its number; of one that is too large only the beginning, whatever its size."""
    try:
        source = file.open("rb")
    except OSError as error:
        raise BadData(
            f"the rows of {name!r} cannot be read ({error.strerror})",
            where=str(file),
            right="the file at data/HEX in the job's folder, HEX being its sha256",
        ) from None
    number = 0
    with source:
        while text := source.readline(LARGEST + 1):
            number += 1
            digest.update(text)
            rest = text
            while len(text) > LARGEST and not rest.endswith(b"\n"):
                rest = source.readline(CHUNK)
                if not rest:
                    break
                digest.update(rest)
            yield number, text


def _line_wrong(text: bytes, kind: type[Row], end: str, line: int, seen: _Seen) -> str:
    if len(text) > LARGEST:
        return f"the row is larger than {LARGEST:,} bytes"
    if not text.strip():
        return "the line is empty"
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return f"the line is not UTF-8 from byte {error.start + 1} on"
    try:
        row = kind.model_validate_json(text)
    except ValidationError as error:
        wrong = malformed(kind, error)
        return _misspelt(error, kind) or wrong.what
    seen.rows += 1
    same = hashlib.blake2b(text.strip(), digest_size=12).digest()
    first = seen.first.setdefault(same, line)
    if first != line:
        seen.repeated += 1
        if len(seen.repeats) < TOLD:
            seen.repeats.append(Finding(line, f"the same row as line {first}"))
    label = row.label()
    if label is not None and len(seen.labels) < 2:
        seen.labels.add(hashlib.blake2b(label.encode("utf-8", "replace"), digest_size=12).digest())
    if end and any(not one.endswith(end) for one in row.ends()):
        return f"the completion does not end with {end!r}"
    return row.wrong()


def _misspelt(error: ValidationError, kind: type[Row]) -> str:
    """A field that is missing because it stands there under another name."""
    for one in error.errors(include_url=False):
        if one["type"] == "missing" and len(one["loc"]) == 1:
            others = [other for other in one["input"] if other not in kind.model_fields]
            if meant := near(str(one["loc"][0]), others):
                return f"{one['loc'][0]!r} is missing, and there is a misspelt {meant!r}"
    return ""


def _whole_wrong(
    ref: DataRef, sha256: str, seen: _Seen, findings: list[Finding], least: int
) -> list[Finding]:
    """What can only be said of a whole file, the plainest first."""
    if sha256 != ref.sha256:
        return [Finding(0, f"the file is not the one that was meant: its hash is {sha256}")]
    if findings:
        return []
    if not seen.rows:
        return [Finding(0, "there are no rows")]
    if seen.rows != ref.rows:
        return [Finding(0, f"there are {seen.rows:,} rows, and the spec says {ref.rows:,}")]
    if seen.repeated > REPEATED * seen.rows:
        told = f"{seen.repeated:,} of {seen.rows:,} rows stand there more than once"
        return [Finding(0, told), *seen.repeats]
    if len(seen.labels) == 1 and seen.rows > 1:
        return [Finding(0, "all rows teach the same answer: there is only one class")]
    if seen.rows < least:
        return [Finding(0, f"{seen.rows:,} rows are too few for one batch of {least:,}")]
    return []


def _told(findings: list[Finding]) -> str:
    told = [f"line {one.line}: {one.wrong}" if one.line else one.wrong for one in findings[:TOLD]]
    if len(findings) >= TOLD:
        told.append("and perhaps more behind them")
    return "; ".join(told)


def _right(kind: type[Row]) -> str:
    if kind is Row:
        return "one JSON object in each line"
    wanted = [one.alias or name for name, one in kind.model_fields.items() if one.is_required()]
    return f"one JSON object in each line, with {', '.join(wanted)}"
