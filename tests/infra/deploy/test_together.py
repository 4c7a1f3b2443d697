"""Everything at once, as processes: with the variables and commands of the files themselves.

Only hosts, ports and the place of the volume are others here. A name that no setting has, a host or
port that no service has, a password that nobody gave: each of these fails.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats
import pytest

from events.catalog.roles import RoleDefined
from events.nats.users import inbox_of
from tests.events.server import PostgresServer, binaries
from tests.infra.deploy.files import (
    DEPLOY,
    ROOT,
    Start,
    by_compose,
    by_kubernetes,
    compose,
    container,
    image,
    readme,
    workloads,
)
from tests.infra.deploy.nodes import Ports, asked, cluster, places, reload, until
from tests.infra.processes import RATCHET, environment

pytestmark = pytest.mark.real

VOLUME = "/var/lib/ratchet"
STORE, SYSTEM = "r-of-the-store", "r-of-the-system"
INDEX = "r-of-the-index"
COMPOSE = {"STORE_PASSWORD": STORE, "NATS_PASSWORD": SYSTEM, "QDRANT_API_KEY": INDEX}
KUBERNETES = {
    "postgres/ratchet-password": STORE, "nats/system-password": SYSTEM, "qdrant/api-key": INDEX,
}  # fmt: skip
HBA = """\
host all postgres 127.0.0.1/32 trust
host all all      127.0.0.1/32 scram-sha-256
"""
ROLE = {**RoleDefined.example, "role": "support"}
TRAINING = {"role": "support", "pipeline": "rehearsal", "base": "tiny"}
PLACE = re.compile(r"(?<=[/@])(nats(?:-[012])?|postgres|qdrant):(\d+)")
CLOSED = 1
"""A port at which nobody answers: where Qdrant would be, which is not here."""


@dataclass
class Place:
    """A machine on which all of it runs."""

    folder: Path
    server: PostgresServer
    ports: list[Ports]
    passwords: dict[str, str] = field(default_factory=dict)
    outsider: str = ""

    @property
    def volume(self) -> Path:
        return self.folder / "volume"

    def here(self, start: Start) -> dict[str, str]:
        """Its variables; what they name is on this machine."""
        ports = {("postgres", "5432"): self.server.port}
        ports |= {(f"nats-{n}", "4222"): one.client for n, one in enumerate(self.ports)}
        ports["nats", "4222"] = self.ports[2].client
        ports["qdrant", "6333"] = CLOSED
        made = {
            key: PLACE.sub(lambda found: f"127.0.0.1:{ports[found[1], found[2]]}", value)
            for key, value in (image() | start.environment).items()
        }
        made = {key: value.replace(VOLUME, str(self.volume)) for key, value in made.items()}
        home = {"HOME": str(self.folder), "PYTHONPATH": str(ROOT)}
        return environment(**home, **made)

    def run(self, words: list[str], start: Start) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=self.folder, env=self.here(start), capture_output=True, text=True,
            timeout=180, check=False,
        )  # fmt: skip

    @contextmanager
    def running(self, start: Start, **more: str) -> Iterator[subprocess.Popen[bytes]]:
        """A program of ours; asked to end, it ends by itself."""
        said = self.folder / f"said-{start.words[0]}-{time.monotonic_ns()}"
        with said.open("wb") as out:
            process = subprocess.Popen(
                [*RATCHET, *start.words], cwd=self.folder, env=self.here(start) | more,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        try:
            yield process
            assert process.poll() is None, said.read_text()
            process.terminate()
            assert process.wait(30) == 0, said.read_text()
        finally:
            process.kill()
            process.wait()
        assert "Traceback" not in said.read_text()

    def token(self, name: str, *scopes: str) -> str:
        words = [word for scope in scopes for word in ("--scope", scope)]
        owner = by_compose("ratchet", COMPOSE)
        told = self.run([*RATCHET, "tokens", "add", name, *words, "--json"], owner)
        return str(json.loads(told.stdout)["token"])

    def accounts(self) -> str:
        """What the service `accounts` writes."""
        start = by_compose("accounts", COMPOSE)
        written = compose()["services"]["accounts"]["entrypoint"][2].partition(" > ")[0]
        told = self.run([*RATCHET, *written.split()[1:]], Start([], start.environment))
        assert told.returncode == 0, told.stderr
        return told.stdout


def postgres(server: PostgresServer, words: str, stdin: Path | None = None) -> bytes:
    """A program of Postgres, with the password that the init script reads."""
    program, *rest = shlex.split(words)
    command = [str(binaries() / program), "-h", "127.0.0.1", "-p", str(server.port), *rest]
    given = os.environ | {"RATCHET_PASSWORD": STORE}
    text = b"" if stdin is None else stdin.read_bytes()
    done = subprocess.run(command, env=given, input=text, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Postgres as its init script leaves it, and NATS with the accounts of two tokens."""
    folder = tmp_path_factory.mktemp("together")
    server = PostgresServer()
    try:
        (server.data / "pg_hba.conf").write_text(HBA)
        server.start()
        postgres(server, f"psql -U postgres -v ON_ERROR_STOP=1 -f {DEPLOY / 'postgres.sql'}")
        made = Place(folder, server, places(3))
        (folder / "volume").mkdir()
        with cluster(folder, made.accounts(), made.ports) as nodes:
            worker = made.token("workers", "worker")
            made.outsider = made.token("outsider", "publish", "read")
            reload(nodes, made.accounts())
            made.passwords = {**COMPOSE, "WORKER_TOKEN": worker}
            made.passwords |= {**KUBERNETES, "worker/token": worker}
            yield made
    finally:
        server.remove()


def test_a_run_goes_through_owner_worker_and_servers_whoever_started_them(place: Place) -> None:
    owner = by_compose("ratchet", place.passwords)
    assert owner.environment["RATCHET__API__PORT"] == "8750"
    port = {"RATCHET__API__PORT": str(places(1)[0].client)}
    probe = container(workloads()["ratchet"])["readinessProbe"]["exec"]["command"]
    ready = [sys.executable, *probe[1:]]
    assert place.run(ready, owner).returncode == 1
    with place.running(owner, **port):
        until(lambda: place.run(ready, owner).returncode == 0, place.folder / "nats-0" / "said")
        for by in (by_compose, by_kubernetes):
            with place.running(by("worker", place.passwords)):
                outcome = asyncio.run(asyncio.wait_for(told(place), 120))
            assert outcome["StageCompleted"]["actor"] == "worker:token:workers"
            assert outcome["RunCompleted"]["position"] > outcome["StageCompleted"]["position"]
        found = asked(place.ports[0].monitor, "/jsz?accounts=1&streams=1&config=1")
    kept = {
        stream["name"]: stream["config"]["num_replicas"]
        for account in found["account_details"]
        for stream in account.get("stream_detail", ())
    }
    assert kept == {"RATCHET": 3, "RATCHET_AGAIN": 3, "RATCHET_GIVEN_UP": 3}


def test_the_owner_on_kubernetes_is_set_up_as_the_one_with_compose(place: Place) -> None:
    shown = []
    for by in (by_compose, by_kubernetes):
        told = place.run([*RATCHET, "config", "show", "--json"], by("ratchet", place.passwords))
        assert told.returncode == 0, told
        found = json.loads(told.stdout)
        here = {one["key"]: one["value"] for one in found["settings"]} | {"home": found["home"]}
        urls = here.pop("nats.url").split(",")
        assert {one.rpartition(":")[0] for one in urls} == {"nats://system:***@127.0.0.1"}
        shown.append(here)
    assert shown[0] == shown[1]
    assert shown[0]["workers.slots"] == 0


async def told(place: Place) -> dict[str, Any]:
    """The last event of each type, until a run that an outsider asks for has ended."""
    url = [f"nats://127.0.0.1:{one.client}" for one in place.ports]
    inbox = inbox_of("outsider")
    client = await nats.connect(url, user="outsider", password=place.outsider, inbox_prefix=inbox)
    try:
        events = await client.subscribe("ratchet.events.>")
        for kind, data in (("RoleDefined", ROLE), ("TrainingRequested", TRAINING)):
            reply = await client.request(
                f"ratchet.publish.{kind}", json.dumps(data).encode(), timeout=60
            )
            receipt = json.loads(reply.data)
            assert receipt.get("type") == kind, receipt
        found: dict[str, Any] = {}
        while "RunCompleted" not in found:
            event = json.loads((await events.next_msg(60)).data)
            found[event["type"]] = event
        return found
    finally:
        await client.close()


def test_what_was_backed_up_comes_back_and_a_newer_head_tells_that_it_is_older(
    place: Place,
) -> None:
    owner = by_compose("ratchet", COMPOSE)
    dump, home, back = (place.folder / name for name in ("log.dump", "home.tar", "back"))
    said = {
        program: re.findall(
            rf"^    (?:postgres|owner) ({program} .*?)(?: [<>] .*)?$", readme(), re.M
        )
        for program in ("pg_dump", "pg_restore", "tar", "ratchet audit")
    }
    (dumping,), (restoring,), (packing,), (auditing,) = said.values()
    written = [*RATCHET, "publish", "AgentPaused", "agent=trainer", "--json"]
    audit = [*RATCHET, *auditing.split()[1:]]

    assert place.run(written, owner).returncode == 0
    older = place.run(audit, owner)
    assert older.returncode == 0, older
    dump.write_bytes(postgres(place.server, dumping))
    packed = shlex.split(packing.replace(VOLUME, str(place.volume)))
    home.write_bytes(subprocess.run(packed, check=True, capture_output=True).stdout)
    assert place.run(written, owner).returncode == 0
    newer = place.run(audit, owner)

    postgres(place.server, restoring, dump)
    shutil.rmtree(place.volume / "home")
    (place.volume / "home").mkdir(mode=0o700)
    subprocess.run(["tar", "-C", place.volume / "home", "-xf", home], check=True)
    for head, code in ((older, 0), (newer, 1)):
        back.write_text(head.stdout)
        again = place.run([*RATCHET, "audit", "--head", str(back), "--json"], owner)
        assert again.returncode == code, again
        assert json.loads(again.stdout)["events"] == json.loads(older.stdout)["events"]
