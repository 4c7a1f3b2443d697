"""Three nats-servers that are one cluster, on loopback; each is killed and started by its pid."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from infra.binary import embedded

SIZE = 3


def free_ports(many: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(many)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Node:
    """One server of the cluster."""

    def __init__(self, folder: Path, number: int, port: int, routes: list[int]) -> None:
        self.name, self.port = f"n{number}", port
        self._file = folder / f"{self.name}.conf"
        others = ", ".join(f'"nats://127.0.0.1:{one}"' for one in routes)
        self._file.write_text(
            f"""
            server_name: {self.name}
            listen: "127.0.0.1:{port}"
            log_file: "{folder / self.name}.log"
            max_payload: 1114112
            jetstream {{ store_dir: "{folder / self.name}" }}
            cluster {{ name: test, listen: "127.0.0.1:{routes[number]}", routes: [{others}] }}
            accounts {{ RATCHET {{ jetstream: enabled, users: [
              {{ user: system, password: secret }} ] }} }}
            """
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = embedded()
        assert binary is not None
        self._process = subprocess.Popen(
            [binary.path, "-c", self._file],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Cluster:
    """All nodes."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(2 * SIZE)
        routes = ports[SIZE:]
        self.nodes = [Node(folder, one, ports[one], routes) for one in range(SIZE)]
        self.url = ",".join(f"nats://127.0.0.1:{node.port}" for node in self.nodes)

    def named(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)


@asynccontextmanager
async def clustered(folder: Path) -> AsyncIterator[Cluster]:
    """Three nodes that answer; ended afterwards."""
    cluster = Cluster(folder)
    try:
        for node in cluster.nodes:
            node.start()
        async with asyncio.timeout(60):
            for node in cluster.nodes:
                while True:
                    with suppress(OSError):
                        _, writer = await asyncio.open_connection("127.0.0.1", node.port)
                        writer.close()
                        break
                    await asyncio.sleep(0.02)
        yield cluster
    finally:
        for node in cluster.nodes:
            node.kill()
