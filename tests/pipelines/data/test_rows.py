"""The same rows are the same bytes, without who and when; where they came from lies beside."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import LogDamaged, Malformed
from pipelines.data.rows import (
    LARGEST,
    TELLING,
    Provenance,
    evenly,
    finite,
    lines,
    read,
    read_sidecar,
    sidecar,
    written,
)
from tests.infra.processes import ROOT
from tests.pipelines.data.solved import rows_of

ORIGIN = Provenance(source="synthetic", method="collaboration", licence="own", score=0.9)
DIGEST = """
import hashlib
from pipelines.data.rows import written
from tests.pipelines.data.solved import rows_of
print(hashlib.sha256(written(rows_of("sentiment_analysis", 50, 3))).hexdigest())
"""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)  # fmt: skip
NAMES = st.text(min_size=1, max_size=8).filter(lambda name: name.lower() not in TELLING)


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=4), max_size=4))
def test_rows_come_back_as_they_were_and_always_as_the_same_bytes(
    rows: list[dict[str, object]],
) -> None:
    try:
        made = written(rows)
    except UnicodeEncodeError:  # half of a character: `finite` refuses it before
        assert not all(map(finite, rows))
        return
    assert read(made) == rows
    turned = [dict(reversed(row.items())) for row in rows]
    assert written(turned) == made
    assert made.count(b"\n") == len(rows)


def test_the_same_seed_gives_the_same_bytes_in_every_process_and_another_seed_others() -> None:
    said = {
        subprocess.check_output(
            [sys.executable, "-c", DIGEST], cwd=ROOT, env={"PYTHONHASHSEED": seed}, text=True
        )
        for seed in ("1", "2")
    }
    assert len(said) == 1
    rows = [rows_of("sentiment_analysis", 50, seed) for seed in (3, 3, 4)]
    assert written(rows[0]) == written(rows[1])
    assert written(rows[0]) != written(rows[2])
    shared = {row["prompt"] for row in rows[0]} & {row["prompt"] for row in rows[2]}
    assert len(shared) < 5


@pytest.mark.parametrize("name", ["id", "Timestamp", "session", "created_at"])
def test_who_and_when_is_refused_in_a_row(name: str) -> None:
    with pytest.raises(Malformed, match="may not have the field"):
        written([{"prompt": "a", name: 1}])


def test_provenance_lies_beside_in_the_order_of_the_rows() -> None:
    many = [ORIGIN, ORIGIN.model_copy(update={"session": "s2"})]
    made = sidecar(many)
    assert [json.loads(one)["row"] for one in made.splitlines()] == [0, 1]
    assert read_sidecar(made, 2) == many
    with pytest.raises(LogDamaged, match="2 lines tell of 3 rows"):
        read_sidecar(made, 3)
    with pytest.raises(LogDamaged, match="not in the order"):
        read_sidecar(b"\n".join(reversed(made.splitlines())), 2)


@pytest.mark.parametrize("content", [b"nope\n", b"[1]\n", b'{"a": 1}\n{"a"'])
def test_a_damaged_file_is_told_by_its_line(content: bytes) -> None:
    with pytest.raises(LogDamaged, match=f"line {content.count(chr(10).encode(), 0, -1) + 1}"):
        read(content)


def test_a_line_without_end_is_not_read_into_memory() -> None:
    source = BytesIO(b"a" * (LARGEST + 200_000) + b"\nshort\n")
    found = list(lines(source))
    assert [(number, len(text)) for number, text in found] == [(1, LARGEST + 1), (2, 6)]


@given(st.integers(0, 60), st.integers(1, 40))
def test_a_sample_is_spread_evenly(n: int, most: int) -> None:
    some = evenly(range(n), most)
    assert len(some) == min(n, most)
    assert some == sorted(set(some))
    assert not some or some[0] == 0


def test_line_ends_within_texts_do_not_end_a_row() -> None:
    rows = [{"prompt": "a\u2028b\x85c\nd\r\x0b\x1c"}]
    assert read(written(rows)) == rows
