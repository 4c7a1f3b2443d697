"""The child nats-server: killed from either side, kept on its port, told of users that change."""

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

from events.errors import LogUnavailable
from infra import servers
from infra.servers import configuration
from tests.events.nats.serving import USERS, killed, linked, server_in, serving, until
from tests.infra.processes import ROOT, up

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
async def test_a_port_that_others_know_is_waited_for_and_that_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(servers, "BACKOFF", (0.1,))
    async with serving(tmp_path) as server, linked(server) as link:
        assert server.process is not None
        port = server.port
        server.process.kill()
        server.process.wait()
        taken = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", port)
        async with taken:
            await until(lambda: "is taken by another program" in server.failure)
            tries = server._failed
            await until(lambda: server._failed > tries + 3)
            assert caplog.text.count("cannot be started") == 1
            assert "--port" not in server.failure
        await until(lambda: link.connected)
        assert server.port == port
        assert server.failure == ""


@pytest.mark.real
async def test_one_that_ends_again_and_again_is_tried_again_and_that_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(servers, "BACKOFF", (0.05,))
    async with serving(tmp_path) as server:
        assert server.process is not None
        server._accounts = lambda: "accounts { what }"
        server.process.kill()
        await until(lambda: server.starts > 4)
        assert caplog.text.count("has ended (") == 1
        assert caplog.text.count("cannot be started") == 1
        server._accounts = lambda: USERS
        await until(lambda: server.failure == "")
        async with linked(server) as link:
            await link.nc.flush(2)


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


@pytest.mark.real
def test_up_without_any_server_says_so_in_one_line_and_works(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home, RATCHET__NATS__SERVER="none") as running:
        assert running.note["nats"] is None
        assert running.ask("GET", "/readyz").status == 200
        assert "nats" not in running.out
    assert not (home / "nats").exists()


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
        ends = time.monotonic() + 60
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
