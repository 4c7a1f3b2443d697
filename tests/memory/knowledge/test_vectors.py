"""The cache of vectors gives back what was put, survives torn ends, and forgets people."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from memory.embedding import unit
from memory.vectors import NOBODY, Entry, VectorCache, key_of, owner_of, purge_all
from tests.infra.processes import ROOT

DIM = 5


def entry(number: int, owner: bytes = NOBODY) -> Entry:
    return Entry(key_of(f"text {number}"), owner, unit([1.0, number, 0.0, -number, 0.5]))


def test_what_was_put_is_given_back_to_the_bit(tmp_path: Path) -> None:
    for _ in range(2):
        cache = VectorCache(tmp_path / "a.vectors", DIM)
        cache.put([entry(number) for number in range(9)])
        cache.put([entry(3)])
        assert len(cache) == 9
        for number in range(9):
            assert cache.get([entry(number).key]) == [entry(number).vector]
        assert cache.get([key_of("unknown")]) == [None]
        cache.close()


def test_a_record_that_was_torn_is_dropped_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "a.vectors"
    cache = VectorCache(file, DIM)
    cache.put([entry(number) for number in range(4)])
    cache.close()
    whole = file.read_bytes()
    for cut in range(len(whole)):
        file.write_bytes(whole[:cut])
        cache = VectorCache(file, DIM)
        known = len(cache)
        cache.put([entry(number) for number in range(5)])
        assert [cache.get([entry(number).key])[0] for number in range(5)] == [
            entry(number).vector for number in range(5)
        ]
        cache.close()
        assert known == max(0, (cut - 24) // ((len(whole) - 24) // 4))


def test_a_damaged_record_is_not_believed(tmp_path: Path) -> None:
    file = tmp_path / "a.vectors"
    cache = VectorCache(file, DIM)
    cache.put([entry(number) for number in range(3)])
    cache.close()
    body = bytearray(file.read_bytes())
    body[24 + (len(body) - 24) // 3 + 40] ^= 1
    file.write_bytes(body)
    cache = VectorCache(file, DIM)
    assert [one is None for one in cache.get([entry(n).key for n in range(3)])] == [
        False,
        True,
        False,
    ]
    cache.put([entry(1)])
    assert cache.get([entry(1).key]) == [entry(1).vector]
    cache.close()


@pytest.mark.parametrize("content", [b"", b"rubbish", b"x" * 10_000])
def test_a_file_that_is_none_of_ours_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.vectors").write_bytes(content)
    cache = VectorCache(tmp_path / "a.vectors", DIM)
    cache.put([entry(1)])
    assert cache.get([entry(1).key]) == [entry(1).vector]
    cache.close()


def test_vectors_of_another_size_are_not_kept_beside(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "a.vectors", DIM)
    cache.put([entry(1), entry(2)._replace(vector=unit([1.0]))])
    assert len(cache) == 1
    cache.close()
    cache = VectorCache(tmp_path / "a.vectors", DIM + 1)
    assert len(cache) == 0
    cache.close()


def test_what_belongs_to_somebody_goes_out_of_every_file(tmp_path: Path) -> None:
    mine, yours = str(uuid4()), str(uuid4())
    for name in ("a", "b"):
        cache = VectorCache(tmp_path / f"{name}.vectors", DIM)
        cache.put([entry(1), entry(2, owner_of(mine)), entry(3, owner_of(yours))])
        cache.close()
    purge_all(tmp_path, mine)
    purge_all(tmp_path, mine)
    for name in ("a", "b"):
        assert owner_of(mine) not in (tmp_path / f"{name}.vectors").read_bytes()
        cache = VectorCache(tmp_path / f"{name}.vectors", DIM)
        assert [one is None for one in cache.get([entry(n).key for n in (1, 2, 3)])] == [
            False,
            True,
            False,
        ]
        cache.close()


def test_the_same_words_of_two_people_are_two_texts() -> None:
    assert len({key_of("hello"), key_of("hello", "a"), key_of("hello", "b")}) == 3


PUTS = """
import sys
from pathlib import Path
from tests.memory.knowledge.test_vectors import DIM, entry
from memory.vectors import VectorCache
cache = VectorCache(Path(sys.argv[1]), DIM)
for number in range(10**9):
    cache.put([entry(number)])
    print(number, flush=True)
"""


def test_what_was_put_before_kill_9_is_there(tmp_path: Path) -> None:
    file = tmp_path / "a.vectors"
    process = subprocess.Popen(
        [sys.executable, "-c", PUTS, str(file)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 300:
            os.kill(process.pid, signal.SIGKILL)
            break
    rest = [int(line) for line in process.stdout.read().split("\n")[:-1]]
    process.stdout.close()
    process.wait()
    last = max([300, *rest])
    cache = VectorCache(file, DIM)
    assert None not in cache.get([entry(number).key for number in range(last + 1)])
    cache.close()


def test_what_a_full_disk_did_not_take_is_not_found_in_the_place_of_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int, _body: bytes, _place: int) -> int:
        raise OSError(28, "No space left on device")

    cache = VectorCache(tmp_path / "a.vectors", DIM)
    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space"):
            cache.put([entry(1)])
    cache.put([entry(2)])
    assert cache.get([entry(1).key, entry(2).key]) == [None, entry(2).vector]
    cache.put([entry(1)])
    assert cache.get([entry(1).key]) == [entry(1).vector]
    cache.close()
