"""Sealed segments are what the log holds, come out the same each time, and show every change."""

from __future__ import annotations

import json
import os
from errno import ENOSPC
from hashlib import sha256
from pathlib import Path

import pytest

from events import archiving
from events.archive import Manifest, Sealed, damage, disordered, events, manifests, unrooted
from events.archiving import seal
from events.chain import Signer
from events.errors import Conflict, LogDamaged, LogUnavailable, Malformed
from events.memory import MemoryStore
from events.merkle import Frontier
from events.store import append
from tests.events.messages import Noted

SIGNER = Signer.fresh()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of 600, so that the kept roots lie inside them and at their ends never."""
    monkeypatch.setattr(archiving, "SIZE", 600)


async def filled(count: int, signer: Signer = SIGNER) -> MemoryStore:
    store = MemoryStore(signer=signer)
    await append(store, *[Noted(text=f"{i} ☃\n") for i in range(count)])
    return store


async def sealed(store: MemoryStore, folder: Path, until: int | None = None) -> Sealed:
    return await seal(store, lambda: SIGNER, folder, until, None)


def flaws(folder: Path, public: str = SIGNER.public) -> str:
    found = manifests(folder)
    damages = [damage(folder, one) for one in found]
    return disordered(found, public) or "".join(damages) or unrooted(folder, found)


def ranges(found: list[Manifest]) -> list[tuple[int, int]]:
    return [(one.first, one.last) for one in found]


async def test_whole_segments_are_sealed_and_the_rest_when_it_is_asked_for(tmp_path: Path) -> None:
    store = await filled(1900)
    done = await sealed(store, tmp_path)
    assert ranges(done.made) == [(1, 600), (601, 1200), (1201, 1800)]
    assert await sealed(store, tmp_path) == Sealed([], done.made, 0)
    rest = await sealed(store, tmp_path, 1850)
    assert ranges(rest.made) == [(1801, 1850)]
    await append(store, *[Noted(text="more") for _ in range(1000)])
    more = await sealed(store, tmp_path)
    assert ranges(more.made) == [(1851, 2450)]
    assert flaws(tmp_path) == ""
    log = await store.read(limit=2450)
    there = [event for one in manifests(tmp_path) for event in events(tmp_path / one.name)]
    assert there == log
    for one in manifests(tmp_path):
        tree = Frontier().grown(bytes.fromhex(event.hash) for event in log[: one.last]).frontier
        assert one.root == tree.root().hex()
    assert {file.suffix for file in tmp_path.iterdir()} == {".json", ".jsonl"}
    assert len(await store.read(limit=5000)) == 2900


async def test_nothing_is_sealed_of_an_empty_log_and_no_key_is_asked_for(tmp_path: Path) -> None:
    assert await seal(MemoryStore(), Signer.fresh, tmp_path / "none", None, None) == Sealed(
        [], [], 0
    )
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("until", [0, -1, 11, 1 << 70])
async def test_a_position_that_is_not_there_is_refused(tmp_path: Path, until: int) -> None:
    with pytest.raises(Malformed, match="no position"):
        await sealed(await filled(10), tmp_path, until)


async def test_what_was_lost_is_written_again_as_it_was(tmp_path: Path) -> None:
    store = await filled(1900)
    await sealed(store, tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    first, second, third = manifests(tmp_path)
    (tmp_path / first.name).unlink()
    (tmp_path / second.name).write_bytes(before[second.name][:-1])
    (tmp_path / third.name).with_suffix(".json").unlink()  # ended between the file and this
    (tmp_path / ".sealing").write_text("half a segment")
    assert damage(tmp_path, first)
    done = await sealed(store, tmp_path)
    assert (ranges(done.made), done.again) == ([(1201, 1800)], 2)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("step", [1, 7, 100])
async def test_changed_bytes_of_a_file_are_found(tmp_path: Path, step: int) -> None:
    await sealed(await filled(600), tmp_path)
    [one] = manifests(tmp_path)
    file = tmp_path / one.name
    whole = file.read_bytes()
    for place in range(step, len(whole), len(whole) // 9):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ step]) + whole[place + 1 :])
        assert "other bytes" in damage(tmp_path, one)
    for other in (whole + b"x", whole[:-1], b""):
        file.write_bytes(other)
        assert "other bytes" in damage(tmp_path, one)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first", 2),
        ("last", 599),
        ("previous_hash", "ab" * 32),
        ("hash", "ab" * 32),
        ("root", "ab" * 32),
        ("sha256", "ab" * 32),
        ("size", 7),
        pytest.param("key", Signer.fresh().public, id="another key"),
        ("signature", "ab" * 64),
    ],
)
async def test_every_changed_field_of_a_manifest_is_found(
    tmp_path: Path, field: str, value: object
) -> None:
    await sealed(await filled(600), tmp_path)
    [one] = manifests(tmp_path)
    assert disordered([one], SIGNER.public) == ""
    changed = one.model_copy(update={field: value})
    assert "not signed by the key" in disordered([changed], SIGNER.public)
    assert "not signed by the key" in disordered([one], Signer.fresh().public)


async def test_what_the_signer_itself_says_wrongly_is_found(tmp_path: Path) -> None:
    """The signature is not all: chain, neighbours and roots are those of the events."""
    await sealed(await filled(1200), tmp_path)
    one, two = manifests(tmp_path)

    def told(manifest: Manifest, **changes: object) -> Manifest:
        changed = manifest.model_copy(update=changes)
        return changed.model_copy(update={"signature": SIGNER.signature(changed.statement())})

    assert "does not go on where" in disordered([one, told(two, previous_hash="ab" * 32)], one.key)
    assert "does not go on where" in disordered([one, one], one.key)
    assert "chain in" in damage(tmp_path, told(two, previous_hash="ab" * 32), tmp_path / two.name)
    assert "ends at position 1200" in damage(tmp_path, told(two, hash="ab" * 32))
    assert "other root" in unrooted(tmp_path, [one, told(two, root="ab" * 32)])
    lines = (tmp_path / two.name).read_bytes().splitlines(keepends=True)
    assert "chain in" in damage(*rewritten(tmp_path, two, lines[:5] + lines[6:]))
    assert "holds what is no event" in damage(*rewritten(tmp_path, two, [b"{}\n"]))


def rewritten(folder: Path, one: Manifest, lines: list[bytes]) -> tuple[Path, Manifest]:
    body = b"".join(lines)
    (folder / one.name).write_bytes(body)
    digest = sha256(body).hexdigest()
    return folder, one.model_copy(update={"sha256": digest, "size": len(body)})


async def test_a_folder_belongs_to_one_log(tmp_path: Path) -> None:
    await sealed(await filled(600), tmp_path)
    for other in (await filled(700), await filled(500)):
        with pytest.raises(Conflict, match="other segments than those of this log"):
            await sealed(other, tmp_path)
    store = await filled(700, stranger := Signer.fresh())
    with pytest.raises(Conflict, match="not signed by the key"):
        await seal(store, lambda: stranger, tmp_path, None, None)
    with pytest.raises(LogDamaged, match="not signed by this home's key"):
        await sealed(store, tmp_path)
    assert flaws(tmp_path) == ""


async def test_a_manifest_that_is_none_is_named(tmp_path: Path) -> None:
    store = await filled(700)
    await sealed(store, tmp_path)
    file = tmp_path / "000000000001-000000000600.json"
    for text in ("", "{}", json.dumps(json.loads(file.read_text()) | {"size": "7"})):
        file.write_text(text)
        with pytest.raises(Malformed) as caught:
            await sealed(store, tmp_path)
        assert file.name in caught.value.where


async def test_a_disk_that_is_full_is_said_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(ENOSPC, "No space left on device")

    store = await filled(700)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(LogUnavailable, match="cannot be written"):
            await sealed(store, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert ranges((await sealed(store, tmp_path)).made) == [(1, 600)]
