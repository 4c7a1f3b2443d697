"""The files that are begun first are there, and stand before all others."""

from __future__ import annotations

from tests.house.source import ROOT
from tests.order import LONG, turn


def test_every_long_file_is_there_once() -> None:
    assert [file for file in LONG if not (ROOT / file).is_file()] == []
    assert len(set(LONG)) == len(LONG)


def test_a_test_of_the_longest_file_is_the_first_and_others_keep_their_places() -> None:
    came = ["tests/a.py::one", f"{LONG[1]}::two", "tests/a.py::three", f"{LONG[0]}::four[x::y]"]
    assert sorted(came, key=turn) == [came[3], came[1], came[0], came[2]]
