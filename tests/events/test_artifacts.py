"""Artifacts: the same reference means the same bytes, or an error."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from events.artifacts import Artifacts
from events.errors import LogDamaged, Malformed, NotFound


@pytest.fixture(params=["folder", "memory"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    if request.param == "folder":
        return Artifacts(str(tmp_path))
    return Artifacts(f"memory://{tmp_path.name}")


def test_what_is_put_is_read_under_its_hash(artifacts: Artifacts) -> None:
    reference = artifacts.put(b"weights")
    assert reference.sha256 == "sha256:" + hashlib.sha256(b"weights").hexdigest()
    assert reference.size == 7
    assert artifacts.read(reference.sha256) == b"weights"
    assert artifacts.has(reference.sha256)


def test_putting_the_same_again_changes_nothing(artifacts: Artifacts) -> None:
    assert artifacts.put(b"weights") == artifacts.put(io.BytesIO(b"weights"))


def test_a_large_file_is_kept_in_pieces(artifacts: Artifacts, tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(range(256)) * 20_000)
    reference = artifacts.put_file(file)
    assert sum(map(len, artifacts.chunks(reference.sha256))) == reference.size == 5_120_000


def test_an_empty_thing_is_a_thing(artifacts: Artifacts) -> None:
    assert artifacts.read(artifacts.put(b"").sha256) == b""


def test_what_was_changed_on_the_disk_is_not_given_out(tmp_path: Path) -> None:
    artifacts = Artifacts(str(tmp_path))
    reference = artifacts.put(b"weights")
    (place,) = tmp_path.glob("sha256/*/*")
    place.write_bytes(b"wreights")
    with pytest.raises(LogDamaged, match="not what was put"):
        artifacts.read(reference.sha256)


def test_what_is_not_there_is_not_found(artifacts: Artifacts) -> None:
    with pytest.raises(NotFound):
        artifacts.read("sha256:" + "0" * 64)


@pytest.mark.parametrize("bad", ["", "sha256:", "sha256:../../etc/passwd", "md5:00", "SHA256:AA"])
def test_what_is_no_reference_is_refused(artifacts: Artifacts, bad: str) -> None:
    with pytest.raises(Malformed):
        artifacts.read(bad)


def test_a_reader_may_bound_what_it_takes(artifacts: Artifacts) -> None:
    reference = artifacts.put(b"x" * 100)
    with pytest.raises(Malformed, match="larger than 10 bytes"):
        artifacts.read(reference.sha256, limit=10)


def test_a_source_that_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise OSError("gone")

    artifacts = Artifacts(str(tmp_path))
    with pytest.raises(OSError, match="gone"):
        artifacts.put(Broken())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
