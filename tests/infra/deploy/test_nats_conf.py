"""nats.conf with the real server: it is valid, and three of them find each other."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import nats
import pytest
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig

from events.nats import streams
from events.nats.permissions import Bearer, accounts, users
from events.nats.users import SYSTEM, inbox_of
from infra.servers import PAYLOAD
from infra.tokens import hashed
from tests.infra.deploy.files import compose, container, everything, workloads
from tests.infra.deploy.nodes import (
    PASSWORD,
    TEXT,
    asked,
    cluster,
    node,
    places,
    program,
    reload,
    until,
    written,
)

SECRET, TOKEN = "r-the-system", "rt_of-an-outsider"
OUTSIDER = Bearer(
    "outsider", sha256(TOKEN.encode()).hexdigest(), hashed(TOKEN), ("publish", "read")
)
REFUSED = "-ERR 'Authorization Violation'"
PROBED = [value["path"] for key, value in everything(workloads()["nats"]) if key == "httpGet"]
PROBED += [
    word.partition("8222")[2]
    for word in compose()["services"]["nats-0"]["healthcheck"]["test"]
    if word.startswith("http://127.0.0.1:8222/")
]


def text(*bearers: Bearer) -> str:
    """What `ratchet nats config` prints for these."""
    return accounts(users(bearers, hashed(SECRET), "", neighbours=False))


def tried(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the server says of the configuration, without starting."""
    command = [str(program()), "-t", "-c", str(written(folder, text(OUTSIDER)))]
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
    inside = {one["name"] for one in container(workloads()["nats"])["env"]}
    assert inside == asked_for | {"GOMEMLIMIT"}
    for name in ("nats-0", "nats-1", "nats-2"):
        given = compose()["services"][name]["environment"]
        assert given.keys() == inside
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


def answered(port: int, **who: str) -> str:
    """What a server says to somebody's first words; a client would not close what is refused."""
    with (
        socket.create_connection(("127.0.0.1", port), 5) as reached,
        reached.makefile("rb") as said,
    ):
        said.readline()
        reached.sendall(f"CONNECT {json.dumps({'verbose': True, **who})}\r\n".encode())
        return said.readline().decode().strip()


@pytest.mark.real
def test_an_empty_file_of_accounts_lets_nobody_in(tmp_path: Path) -> None:
    mine, other = places(2)
    with node(tmp_path / "nats-0", "", mine, [other]) as one:
        until(lambda: "Server is ready" in one.said.read_text(), one.said)
        assert answered(mine.client) == REFUSED


@pytest.mark.real
def test_three_find_each_other_and_take_new_users_while_a_stranger_stays_outside(
    tmp_path: Path,
) -> None:
    with cluster(tmp_path, text(), places(3)) as nodes, ExitStack() as more:
        first = nodes[0]
        assert len(PROBED) == 4
        for path in PROBED:
            assert asked(first.ports.monitor, path), path
            if "=" in path:  # it says nothing of what it does not know, and refuses what is wrong
                wrong = path.replace("=true", "=perhaps")
                assert asked(first.ports.monitor, wrong) is None, path
        meta = asked(first.ports.monitor, "/jsz")["meta_cluster"]
        assert (meta["name"], meta["cluster_size"]) == ("ratchet", 3)
        routes = asked(first.ports.monitor, "/routez")["routes"]
        assert {one["remote_name"] for one in routes} == {"nats-1", "nats-2"}

        (place,) = places(1)
        known = [one.ports for one in nodes]
        more.enter_context(node(tmp_path / "stranger", text(), place, known, "rWrong"))
        until(lambda: "authentication error" in first.said.read_text(), first.said)

        port = first.ports.client
        assert answered(port, user="outsider", **{"pass": TOKEN}) == REFUSED
        reload(nodes, text(OUTSIDER))
        assert answered(port, user="outsider", **{"pass": TOKEN}) == "+OK"
        url = f"nats://127.0.0.1:{port}"
        asyncio.run(asyncio.wait_for(streams_are_made_by_the_system_alone(url), 15))


async def streams_are_made_by_the_system_alone(url: str) -> None:
    seen: list[str] = []

    async def trouble(error: Exception) -> None:
        seen.append(str(error))

    system = await nats.connect(url, user=SYSTEM, password=SECRET, inbox_prefix=inbox_of(SYSTEM))
    outsider = await nats.connect(
        url,
        user="outsider",
        password=TOKEN,
        inbox_prefix=inbox_of("outsider"),
        error_cb=trouble,
    )
    try:
        made = await system.jetstream(timeout=10).add_stream(streams.log_stream("ab" * 32, 3))
        assert made.config.num_replicas == 3
        assert len(made.cluster.replicas) == 2
        with pytest.raises(NatsError):
            await outsider.jetstream(timeout=1).add_stream(
                StreamConfig(name="MINE", subjects=["mine.>"])
            )
        assert any("$js.api.stream.create.mine" in one.lower() for one in seen), seen
        with pytest.raises(NatsError):
            await system.jetstream(timeout=5).stream_info("MINE")
    finally:
        await outsider.close()
        await system.close()
