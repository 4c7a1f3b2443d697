"""The hash chain notices every change, and the signed head can be made by one key only."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from events.chain import EMPTY, GENESIS, Head, Signer, holds, link, signed, statement
from events.envelope import COLUMNS, Envelope
from events.errors import LogDamaged
from events.sql.sqlite import SqliteStore
from events.store import append
from tests.events.messages import Noted

FIRST = Envelope(
    1,
    "01a1fc29-ec39-70d2-b318-d43ac6a06fc5",
    "Test.Noted",
    1,
    "note/a",
    1,
    "2026-01-01T12:00:00.000000Z",
    "human:ann",
    "01a1fc29-ec39-70d2-b318-d43ac6a06fc5",
    None,
    '{"about":"a","text":"☃"}',
    None,
    GENESIS,
    "",
)
SECOND = FIRST._replace(position=2, version=2, cause_id=FIRST.event_id, key_id="subject/7")


def linked(envelope: Envelope) -> Envelope:
    fields = envelope._asdict()
    for name in ("type", "hash"):
        fields.pop(name)
    return envelope._replace(hash=link(kind=envelope.type, **fields))


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        (FIRST, "7ca4653f4627b5261650852a1d6485c0e7d7d34c05096bf44a4b604ed372d581"),
        (SECOND, "64682876e98098cb6df85559070a59093ac75137bebe8bda77018ecc25ce4812"),
        (
            FIRST._replace(cause_id=""),
            "ce3830e171614326d7806ea4246de4b1b143e5e593b2155db3327ec31f54c0f0",
        ),
    ],
)
def test_the_encoding_is_the_one_of_version_1_for_ever(envelope: Envelope, expected: str) -> None:
    assert linked(envelope).hash == expected


def test_the_encoding_is_lines_of_text() -> None:
    lines = [
        "ratchet event 1",
        GENESIS,
        "2",
        SECOND.event_id,
        "Test.Noted",
        "1",
        "note/a",
        "2",
        "2026-01-01T12:00:00.000000Z",
        "human:ann",
        SECOND.correlation_id,
        f"+{FIRST.event_id}",
        "+subject/7",
        '{"about":"a","text":"☃"}',
    ]
    assert linked(SECOND).hash == sha256("\n".join(lines).encode()).hexdigest()


def test_absent_and_empty_are_not_the_same() -> None:
    said: list[str | None] = [None, "", "-", "+", "None"]
    hashes = {
        linked(SECOND._replace(cause_id=cause, key_id=key)).hash for cause in said for key in said
    }
    assert len(hashes) == len(said) ** 2


texts = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(0, 2**62)
envelopes = st.builds(
    Envelope,
    numbers,
    texts,
    texts,
    numbers,
    texts,
    numbers,
    texts,
    texts,
    texts,
    st.none() | texts,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.none() | texts,
    st.just(GENESIS),
    st.just(""),
)


@given(envelopes)
def test_what_was_linked_holds_behind_its_predecessor_only(envelope: Envelope) -> None:
    whole = linked(envelope)
    assert holds(whole, GENESIS)
    assert not holds(whole, "1" * 64)


@given(envelopes, st.sampled_from(COLUMNS), st.data())
def test_a_changed_field_breaks_the_chain(
    envelope: Envelope, column: str, data: st.DataObject
) -> None:
    whole = linked(envelope)
    old = getattr(whole, column)
    optional = st.none() if column in ("cause_id", "key_id") else st.nothing()
    change: dict[str, Any] = {
        column: data.draw(numbers if isinstance(old, int) else optional | texts)
    }
    assume(change[column] != old)
    assert not holds(whole._replace(**change), GENESIS)


@given(envelopes, envelopes)
def test_no_two_envelopes_share_a_hash(one: Envelope, two: Envelope) -> None:
    assert (linked(one).hash == linked(two).hash) == (one == two)


class Stored(NamedTuple):
    """A log of three events as it lies in a file, without the triggers that guard it."""

    path: Path
    log: list[Envelope]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    path = tmp_path_factory.mktemp("chain") / "log.db"
    log = asyncio.run(_three_events(path))
    with closing(sqlite3.connect(path)) as raw, raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            raw.execute(f"DROP TRIGGER {name}")
    return Stored(path, log)


async def _three_events(path: Path) -> list[Envelope]:
    store = SqliteStore(path, Signer.fresh())
    [first] = await append(store, Noted(text="é\n"))
    await append(store, Noted(text="two"), cause=first)
    await append(store, Noted(about="b", text=""), actor="human:ann")
    log = await store.read()
    await store.close()
    return log


def broken_at(db: sqlite3.Connection) -> int | None:
    """The first position at which the rows, read as they are, do not hold."""
    previous = GENESIS
    for row in db.execute(f"SELECT {', '.join(COLUMNS)} FROM events ORDER BY position"):
        envelope = Envelope._make(row)
        if not holds(envelope, previous):
            return envelope.position
        previous = envelope.hash
    return None


@given(st.integers(0, 2), st.sampled_from(COLUMNS[1:]), st.integers(0, 999), st.integers(1, 255))
def test_one_changed_byte_of_any_row_is_found_at_its_position(
    stored: Stored, index: int, column: str, place: int, mask: int
) -> None:
    envelope = stored.log[index]
    old = getattr(envelope, column)
    new: Any
    if isinstance(old, str) and old:
        changed = bytearray(old.encode())
        changed[place % len(changed)] ^= mask
        new = bytes(changed)
        cast = "CAST(? AS TEXT)"
    else:
        new, cast = (place if old != place else place + 1) if isinstance(old, int) else "", "?"
    with closing(sqlite3.connect(stored.path)) as db:
        db.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        sql = f"UPDATE events SET {column} = {cast} WHERE position = ?"
        try:
            db.execute(sql, (new, envelope.position))
        except sqlite3.IntegrityError:  # the change would make it another event's twin
            assume(False)
        assert broken_at(db) == envelope.position
        db.rollback()
        assert broken_at(db) is None


def test_a_row_taken_out_or_moved_is_found(stored: Stored) -> None:
    with closing(sqlite3.connect(stored.path)) as db:
        for sql, position in (
            ("DELETE FROM events WHERE position = 1", 2),
            ("DELETE FROM events WHERE position = 2", 3),
            ("UPDATE events SET position = 9 WHERE position = 2", 3),
        ):
            db.execute(sql)
            assert broken_at(db) == position
            db.rollback()


@pytest.mark.parametrize("root", ["", "cd" * 32])
def test_a_head_is_signed_by_its_key_for_its_end_only(root: str) -> None:
    signer, other = Signer.fresh(), Signer.fresh()
    head = signer.sign(7, "ab" * 32, root)
    assert signed(head)
    assert signed(head, signer.public)
    assert not signed(head, other.public)
    forged: dict[str, Any]
    for forged in (
        {"position": 8},
        {"hash": "ac" * 32},
        {"root": "ce" * 32},
        {"root": "" if root else "cd" * 32},
        {"signature": "00" * 64},
        {"signature": "no hex"},
        {"signature": ""},
        {"key": other.public},
        {"key": "00"},
        {"key": "no hex"},
    ):
        assert not signed(head._replace(**forged))
    assert not signed(EMPTY)


def test_a_signature_can_be_checked_without_this_program() -> None:
    """The golden one: by the key whose seed is 32 zeros, made once and never again."""
    head = Head(
        3,
        "ab" * 32,
        "c4607b18f87b82b6ae29834ab936df50353601cbc198d44a81f7729f706fa1b7"
        "da2d1a2f526fc39a67c530e3dd9f45604ca4a04765a753eb560b6b5189fa260f",
        "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29",
    )
    assert statement(3, "ab" * 32, "") == b"ratchet head 1\n3\n" + b"ab" * 32 + b"\n"
    assert signed(head)
    with_root = head._replace(
        root="cd" * 32,
        signature="868b1e35f9f1dc10f01253f5984c75a0951dac11d3ab7afe491f6e75c5d13f01"
        "218fae8dbc2144d921ee4e802d46cd948eee43ad570024c22b2b98d4317ce50e",
    )
    said = b"ratchet head 2\n3\n" + b"ab" * 32 + b"\n" + b"cd" * 32 + b"\n"
    assert statement(3, "ab" * 32, "cd" * 32) == said
    assert signed(with_root)


def test_a_home_keeps_its_key_to_itself(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first, second = Signer.of(folder), Signer.of(folder)
    assert first.public == second.public
    assert (folder / "head.pub").read_text().strip() == first.public
    assert (folder / "head.key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(file.name for file in folder.iterdir()) == ["head.key", "head.pub"]
    assert second.sign(1, "a", "b") == first.sign(1, "a", "b")


@pytest.mark.parametrize("text", ["", "no hex", "ab" * 31])
def test_a_key_that_cannot_be_read_is_not_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / "head.key").write_text(text)
    with pytest.raises(LogDamaged, match="signing key"):
        Signer.of(tmp_path)
    assert (tmp_path / "head.key").read_text() == text
