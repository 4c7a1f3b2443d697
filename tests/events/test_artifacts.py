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


ANN, BOB = "01990000-0000-7000-8000-00000000000a", "01990000-0000-7000-8000-00000000000b"


def test_what_belongs_to_a_subject_bears_the_same_reference_apart(artifacts: Artifacts) -> None:
    ann = artifacts.of_subject(ANN)
    reference = ann.put(b"a voice")
    assert reference == artifacts.of_subject(BOB).put(b"a voice")
    assert ann.read(reference.sha256) == b"a voice"
    assert not artifacts.has(reference.sha256)


def test_purging_deletes_all_of_one_subject_and_nothing_else(artifacts: Artifacts) -> None:
    kept = [one.put(b"a voice") for one in (artifacts, artifacts.of_subject(BOB))]
    gone = artifacts.of_subject(ANN).put(b"a voice")
    for _ in range(2):
        artifacts.purge(ANN)
    assert not artifacts.of_subject(ANN).has(gone.sha256)
    assert artifacts.read(kept[0].sha256) == b"a voice"
    assert artifacts.of_subject(BOB).read(kept[1].sha256) == b"a voice"


def test_what_comes_after_a_purge_or_meanwhile_does_not_stay(tmp_path: Path) -> None:
    artifacts = Artifacts(str(tmp_path))

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if not self.tell():
                artifacts.purge(ANN)
            return super().read(size)

    for late in (Slow(b"a voice"), io.BytesIO(b"a voice")):
        with pytest.raises((NotFound, OSError)):
            artifacts.of_subject(ANN).put(late)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [ANN]
    assert not (tmp_path / "personal" / ANN).exists()


@pytest.mark.parametrize("bad", ["../up", "x", "/etc"])
def test_only_the_id_of_a_key_names_a_subjects_folder(artifacts: Artifacts, bad: str) -> None:
    with pytest.raises(ValueError, match="badly formed"):
        artifacts.of_subject(bad)
