"""What the store in a file does when the file, the folder or the disk is not as it should be."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from events.chain import GENESIS, Signer, holds
from events.errors import LogDamaged, NoRoom
from events.sql.sqlite import SqliteStore
from events.store import append
from tests.events.children import child
from tests.events.messages import Noted

SIGNER = Signer.fresh()


async def written(path: Path, count: int = 3) -> Path:
    store = SqliteStore(path, SIGNER)
    for i in range(0, count, 100):
        notes = [Noted(text=f"{j} " + "x" * 200) for j in range(i, min(i + 100, count))]
        await append(store, *notes)
    await store.close()
    return path


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("DELETE FROM events WHERE position = 3", "ends at position 2, .* says 3"),
        ("DELETE FROM events", "ends at position 0, .* says 3"),
        ("UPDATE events SET hash = 'forged' WHERE position = 3", "event at position 3"),
        ("DELETE FROM head", "ends at position 3, .* says 0"),
        ("UPDATE head SET position = 2", "ends at position 3, .* says 2"),
        ("UPDATE head SET signature = replace(signature, '0', '1')", "event at position 3"),
        ("UPDATE head SET \"key\" = 'no hex'", "event at position 3"),
    ],
)
async def test_a_log_that_does_not_end_where_it_was_signed_is_not_gone_on_with(
    tmp_path: Path, sql: str, says: str
) -> None:
    path = await written(tmp_path / "log.db")
    with closing(sqlite3.connect(path)) as raw, raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute(sql)
    with pytest.raises(LogDamaged, match=says):
        SqliteStore(path, SIGNER)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("BEGIN EXCLUSIVE")  # nothing holds it any more


async def test_a_log_that_was_cut_while_it_is_open_is_not_gone_on_with(tmp_path: Path) -> None:
    path = await written(tmp_path / "log.db")
    store = SqliteStore(path, SIGNER)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("DROP TRIGGER events_are_never_removed")
        raw.execute("DELETE FROM events WHERE position = 3")
    for _ in range(2):
        with pytest.raises(LogDamaged, match="ends at position 2"):
            await append(store, Noted())
    await store.close()


async def test_a_log_signed_with_another_key_is_not_gone_on_with(tmp_path: Path) -> None:
    path = await written(tmp_path / "log.db")
    with pytest.raises(LogDamaged):
        SqliteStore(path, Signer.fresh())


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be one" * 99, b"\x00" * 99]
)
def test_a_file_that_is_no_database_is_called_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.db"
    path.write_bytes(content)
    for signer in (SIGNER, None):
        with pytest.raises(LogDamaged, match="database is damaged"):
            SqliteStore(path, signer)
    assert path.read_bytes() == content


async def test_a_page_that_went_bad_is_found_and_what_lies_before_it_is_read(
    tmp_path: Path,
) -> None:
    path = await written(tmp_path / "log.db", 500)
    with path.open("r+b") as file:
        file.seek(4096 * 40)
        file.write(b"\xff" * 4096)
    store = SqliteStore(path)
    with pytest.raises(LogDamaged):
        await store.read(limit=1000)
    walk = await store.verify()
    await store.close()
    assert walk.damage
    assert 0 < len(walk.envelopes) < 500
    previous = GENESIS
    for envelope in walk.envelopes:
        assert holds(envelope, previous)
        previous = envelope.hash


@pytest.fixture
def common() -> Iterator[Path]:
    """A folder that others may come to: pytest keeps its own to itself."""
    folder = Path(tempfile.mkdtemp(prefix="ratchet-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


READS = """
without_rights()

async def main() -> None:
    store = SqliteStore(Path(sys.argv[1]))
    print(len(await store.read()), (await store.head()).position)
    await store.close()

asyncio.run(main())
"""
WRITES = """
signer = Signer.fresh()
without_rights()
try:
    SqliteStore(Path(sys.argv[1]), signer)
except ReadOnly as error:
    print(error.right)
"""


def test_a_folder_that_may_not_be_written_is_named(common: Path) -> None:
    asyncio.run(written(common / "log.db"))
    for path in (common / "log.db", common / "none.db"):
        if path.exists():
            path.chmod(0o444)
        common.chmod(0o555)
        assert child(WRITES, path).stdout == (
            "make the folder writable for this user, or name another with --home\n"
        )


async def test_a_log_is_read_where_nothing_may_be_written(common: Path) -> None:
    path = await written(common / "log.db")
    assert not path.with_name("log.db-wal").exists()
    common.chmod(0o555)
    assert child(READS, path).stdout == "3 3\n"
    common.chmod(0o755)
    store = SqliteStore(path, SIGNER)
    await append(store, Noted())
    common.chmod(0o555)
    assert path.with_name("log.db-wal").exists()
    assert child(READS, path).stdout == "4 4\n"
    common.chmod(0o755)
    await store.close()


def test_what_a_killed_owner_left_is_read_where_nothing_may_be_written(common: Path) -> None:
    script = """
async def main() -> None:
    store = SqliteStore(Path(sys.argv[1]), Signer.fresh())
    await append(store, Noted())
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
    child(script, common / "log.db")
    assert (common / "log.db-wal").stat().st_size > 0
    common.chmod(0o555)
    assert child(READS, common / "log.db").stdout == "1 1\n"


BOUNDED = """
async def main() -> None:
    store = SqliteStore(Path(sys.argv[1]), Signer.fresh())
    said = [(await append(store, Noted(text=str(i))))[0] for i in range(20)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    try:
        for i in range(1000):
            said += await append(store, Noted(text=str(i)))
    except NoRoom as error:
        print(error.right)
    before = len(said)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for i in range(200):
        said += await append(store, Noted(text=str(i)))
    assert 20 < before < 1000
    assert await store.read(limit=2000) == said
    await store.close()
    store = SqliteStore(Path(sys.argv[1]))
    print((await store.head()).position == before + 200)
    await store.close()

asyncio.run(main())
"""


def test_a_disk_that_takes_no_more_is_said_and_gone_on_with(tmp_path: Path) -> None:
    assert child(BOUNDED, tmp_path / "log.db").stdout == (
        "look at free space, quotas and the disk's health; nothing acknowledged is lost\nTrue\n"
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("this user cannot mount a small disk; the bounded file above stands for it")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_is_said_and_gone_on_with(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 500_000)
    store = SqliteStore(small_disk / "log.db", SIGNER)
    said = [*(await append(store, Noted()))]
    answers = []
    for _ in range(30):
        calls = [append(store, Noted(text="x" * 1000)) for _ in range(50)]
        answers += await asyncio.gather(*calls, return_exceptions=True)
    said += [answer[0] for answer in answers if isinstance(answer, tuple)]
    failures = {str(answer) for answer in answers if not isinstance(answer, tuple)}
    assert failures == {
        f"the disk is full ({small_disk}/log.db): free some space; nothing was lost"
    }
    assert await store.read(limit=2000) == said
    with pytest.raises(NoRoom):
        await append(store, *[Noted(text="x" * 1000) for _ in range(900)])
    ballast.unlink()
    said += await append(store, *[Noted(text="x" * 1000) for _ in range(20)])
    assert await store.read(limit=2000) == said
    await store.close()
    reader = SqliteStore(small_disk / "log.db")
    assert await reader.read(limit=2000) == said
    await reader.close()


def test_a_log_is_not_begun_on_a_full_disk(small_disk: Path) -> None:
    with suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(NoRoom):
        SqliteStore(small_disk / "log.db", SIGNER)
    (small_disk / "ballast").unlink()
    asyncio.run(written(small_disk / "log.db"))
