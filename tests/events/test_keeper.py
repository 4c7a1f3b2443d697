"""The home's key: made once, kept for this user alone, and missed when it is another one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from events.errors import LogDamaged
from events.keeper import PEPPER, Keeper, KeyRow
from events.keyring import new_key
from events.sealing import SECRET


def test_it_is_made_once_and_for_this_user(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert Keeper.found(keys) is None
    assert not keys.exists()
    one, again = Keeper.of(keys), Keeper.of(keys)
    found = Keeper.found(keys)
    assert found is not None
    assert one.token("ann") == again.token("ann") == found.token("ann")
    assert os.listdir(keys) == ["subjects.key"]
    assert (keys / "subjects.key").stat().st_mode & 0o777 == 0o600
    assert keys.stat().st_mode & 0o777 == 0o700
    assert Keeper.of(tmp_path / "other").token("ann") != one.token("ann")


@pytest.mark.parametrize("text", ["", "zz", "00", "00" * (SECRET + PEPPER + 1)])
def test_a_key_that_cannot_be_read_is_told_and_not_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / "subjects.key").write_text(text)
    for opening in (Keeper.of, Keeper.found):
        with pytest.raises(LogDamaged, match="backup"):
            opening(tmp_path)
    assert (tmp_path / "subjects.key").read_text() == text


def test_what_is_kept_of_a_subject_tells_nothing() -> None:
    keeper, key = Keeper.fresh(), new_key()
    row = keeper.row("ann", key)
    assert keeper.key(row) == key
    assert "ann" not in "".join(row)
    assert key.secret.hex() not in row.wrapped
    assert row.token != Keeper.fresh().token("ann")


def test_a_row_that_was_changed_or_exchanged_does_not_open() -> None:
    keeper = Keeper.fresh()
    ann, bob = keeper.row("ann", new_key()), keeper.row("bob", new_key())
    changed = ann._replace(wrapped=bob.wrapped)
    for row in (changed, ann._replace(key_id=bob.key_id), ann._replace(token=bob.token),
                ann._replace(wrapped="zz"), ann._replace(wrapped="")):  # fmt: skip
        with pytest.raises(LogDamaged):
            keeper.key(row)


def test_one_damaged_row_stops_nobody_but_its_subject() -> None:
    keeper = Keeper.fresh()
    good, bad = keeper.row("ann", new_key()), KeyRow(keeper.token("bob"), "some id", "00")
    keeper.check([])
    keeper.check([bad, good])
    with pytest.raises(LogDamaged, match="of this home"):
        keeper.check([bad])
    ring = keeper.keyring(["ann", "bob", "eve"], [good, bad])
    assert set(ring.of) == {"ann"}
    assert ring.damaged == {"bob", "some id"}
