"""An outsider with a token to publish and to read tries what is forbidden: in vain, and seen.

Against the server that `ratchet up` starts. What the server itself refuses stands in its log; what
the door refuses is answered, and kept in `rejected.jsonl`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import nats
import pytest
from nats.errors import Error as NatsError

from events.nats.users import inbox_of
from infra.tokens import Tokens
from tests.infra.processes import Running, up

pytestmark = pytest.mark.real

TRAINING = {"role": "support", "pipeline": "rehearsal", "base": "tiny"}
CONSUMER = {
    "stream_name": "RATCHET",
    "config": {"deliver_subject": "ratchet.work.claim", "deliver_policy": "all"},
}


class Outsider(NamedTuple):
    """A client with the credentials of a token, and the owner who looks at what came of it."""

    client: Any
    owner: Any
    running: Running
    violations: list[str]

    async def ask(
        self, kind: str, data: Any, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        reply = await self.client.request(
            f"ratchet.publish.{kind}", body, timeout=30, headers=headers
        )
        found: dict[str, Any] = json.loads(reply.data)
        return found

    async def head(self) -> int:
        return int((await self.owner.jetstream().stream_info("RATCHET")).state.last_seq)

    @property
    def server_log(self) -> str:
        return (self.running.home / "nats" / "server.log").read_text()

    @property
    def rejected(self) -> str:
        file = self.running.home / "rejected.jsonl"
        return file.read_text() if file.exists() else ""


@asynccontextmanager
async def outside(folder: Path) -> AsyncIterator[Outsider]:
    home = folder / "home"
    tokens = Tokens(home / "tokens.json")
    secret = tokens.add("outsider", ["publish", "read"])
    tokens.add("other", ["publish"])
    with up(home, RATCHET__WORKERS__SLOTS="0") as running:
        place = running.note["nats"].rpartition("@")[2]
        seen: list[str] = []

        async def trouble(error: Exception) -> None:
            seen.append(str(error))

        client = await nats.connect(
            f"nats://{place}",
            user="outsider",
            password=secret,
            inbox_prefix=inbox_of("outsider"),
            error_cb=trouble,
            allow_reconnect=False,
        )
        owner = await nats.connect(running.note["nats"])
        try:
            yield Outsider(client, owner, running, seen)
        finally:
            await client.close()
            await owner.close()


FORBIDDEN_TO_SAY = [
    "ratchet.events.TrainingRequested.00",
    "ratchet.work.claim",
    "ratchet.work.renew",
    "ratchet.work.answer",
    "ratchet.work.progress",
    "ratchet.progress",
    "ratchet.bell",
    "ratchet.again.anybody",
    "ratchet.publish.RunStarted",
    "ratchet.publish.StageCompleted",
    "ratchet.publish.SubjectForgotten",
    "ratchet.publish.NoSuchEvent",
    "$JS.API.STREAM.DELETE.RATCHET",
    "$JS.API.STREAM.PURGE.RATCHET",
    "$JS.API.STREAM.UPDATE.RATCHET",
    "$JS.API.STREAM.INFO.RATCHET",
    "$JS.API.STREAM.MSG.GET.RATCHET",
    "$JS.API.STREAM.MSG.DELETE.RATCHET",
    "$JS.API.DIRECT.GET.RATCHET",
    "$JS.API.CONSUMER.CREATE.RATCHET",
    "$JS.API.CONSUMER.DURABLE.CREATE.RATCHET.mine",
    "$JS.API.CONSUMER.DELETE.RATCHET.given_up",
    "$JS.ACK.RATCHET.given_up.1.1.1.1.1",
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.ACCOUNT.PING.CONNZ",
    "_INBOX.somebody.1",
    "_INBOX_other.somebody.1",
    "_INBOX_system.somebody.1",
]
FORBIDDEN_TO_HEAR = [
    (">", ""),
    ("ratchet.>", ""),
    ("ratchet.publish.>", ""),
    ("ratchet.publish.TrainingRequested", "ratchet"),
    ("ratchet.work.>", ""),
    ("ratchet.work.answer", "ratchet"),
    ("ratchet.bell", ""),
    ("_INBOX.>", ""),
    ("_INBOX_other.>", ""),
    ("_INBOX_system.>", ""),
    ("$JS.>", ""),
    ("$SYS.>", ""),
]


async def test_what_may_not_be_said_reaches_nobody(tmp_path: Path) -> None:
    async with outside(tmp_path) as outsider:
        heard: list[str] = []

        async def hear(message: Any) -> None:
            heard.append(message.subject)

        for subject in {one.split(".")[0] for one in FORBIDDEN_TO_SAY if one[0] != "$"}:
            if subject != inbox_of("system"):  # not even the owner hears that
                await outsider.owner.subscribe(f"{subject}.>", cb=hear)
        await outsider.owner.flush()
        before = await outsider.head()
        heard.clear()
        for subject in FORBIDDEN_TO_SAY:
            body = CONSUMER if "CONSUMER" in subject else TRAINING
            reply = f"{inbox_of('outsider')}.reply"
            await outsider.client.publish(subject, json.dumps(body).encode(), reply=reply)
        await outsider.client.flush()
        await asyncio.sleep(0.3)
        assert not [one for one in heard if one in FORBIDDEN_TO_SAY]
        assert await outsider.head() == before
        info = await outsider.owner.jetstream().stream_info("RATCHET")
        assert info.state.first_seq == 1
        log = outsider.server_log
        for subject in FORBIDDEN_TO_SAY:
            assert f'user:outsider" - Publish Violation - Subject "{subject}"' in log, subject


async def test_what_may_not_be_heard_is_not(tmp_path: Path) -> None:
    async with outside(tmp_path) as outsider:
        heard: list[str] = []

        async def hear(message: Any) -> None:
            heard.append(message.subject)

        for subject, queue in FORBIDDEN_TO_HEAR:
            await outsider.client.subscribe(subject, queue=queue, cb=hear)
        await outsider.client.flush()
        for _ in range(20):
            reply = await outsider.owner.request(
                "ratchet.publish.TrainingRequested", json.dumps(TRAINING).encode()
            )
            assert "position" in json.loads(reply.data)
        await asyncio.sleep(0.3)
        assert heard == []
        log = outsider.server_log
        for subject, _ in FORBIDDEN_TO_HEAR:
            assert "Subscription Violation" in log
            assert f'"{subject}"' in log, subject


Attempt = Callable[[Outsider], Awaitable[dict[str, Any]]]


def said(kind: str, data: Any, **headers: str) -> Attempt:
    async def attempt(outsider: Outsider) -> dict[str, Any]:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        return await outsider.ask(kind, data, given or None)

    return attempt


REFUSED_AT_THE_DOOR: dict[str, Attempt] = {
    "a token that is none": said("TrainingRequested", TRAINING, Authorization="Bearer rt_guess"),
    "no scheme": said("TrainingRequested", TRAINING, Authorization="rt_guess"),
    "an id that is none": said("TrainingRequested", TRAINING, Nats_Msg_Id="../../etc/passwd"),
    "a field too many": said("TrainingRequested", {**TRAINING, "actor": "agent:trainer"}),
    "a wrong kind": said("TrainingRequested", {**TRAINING, "role": {"$ne": 1}}),
    "no JSON": said("TrainingRequested", b"\xff\xfe{{{"),
    "deep JSON": said("TrainingRequested", b"[" * 100_000 + b"]" * 100_000),
    "a list": said("TrainingRequested", [TRAINING]),
    "a stream of its choice": said("RoleDefined", {"role": "a/b", "profile": {}}),
    "more than an event may have": said(
        "TrainingRequested", {**TRAINING, "base": "x" * ((1 << 20) + 100)}
    ),
}


@pytest.mark.parametrize("name", REFUSED_AT_THE_DOOR)
async def test_what_the_door_refuses_is_answered_and_kept(name: str, tmp_path: Path) -> None:
    async with outside(tmp_path) as outsider:
        before = await outsider.head()
        answer = await REFUSED_AT_THE_DOOR[name](outsider)
        assert {"what", "where", "right"} <= set(answer["error"])
        assert await outsider.head() == before
        kept = [json.loads(line) for line in outsider.rejected.splitlines()]
        assert kept[-1]["reason"]["where"] == answer["error"]["where"]
        assert "Traceback" not in outsider.running.err


async def test_a_reply_never_leads_into_other_subjects(tmp_path: Path) -> None:
    async with outside(tmp_path) as outsider:
        heard: list[str] = []

        async def hear(message: Any) -> None:
            heard.append(message.subject)

        aims = ["ratchet.publish.PauseRequested", "ratchet.events.Made.00", "_INBOX_system.x.y"]
        await outsider.owner.subscribe("ratchet.events.Made.*", cb=hear)
        before = await outsider.head()
        for aim in aims:
            await outsider.client.publish(
                "ratchet.publish.TrainingRequested", json.dumps(TRAINING).encode(), reply=aim
            )
        await outsider.client.flush()
        await asyncio.sleep(0.5)
        assert (await outsider.head(), heard) == (before, [])
        assert outsider.rejected.count("where no inbox is") == len(aims)


async def test_a_message_beyond_the_server_s_limit_ends_the_connection(tmp_path: Path) -> None:
    async with outside(tmp_path) as outsider:
        outsider.client._max_payload = 1 << 30
        await outsider.client.publish("ratchet.publish.TrainingRequested", b"x" * (3 << 20))
        with suppress(NatsError, OSError):
            await outsider.client.flush(2)
        assert "maximum payload" in outsider.server_log.lower()


async def test_a_flood_drowns_nobody(tmp_path: Path) -> None:
    async with outside(tmp_path) as outsider:
        body = b'{"role": 1}' + b" " * 2000
        for number in range(20_000):
            await outsider.client.publish("ratchet.publish.TrainingRequested", body)
            if number % 1000 == 0:
                await outsider.client.flush(10)
        reply = await outsider.owner.request(
            "ratchet.publish.TrainingRequested", json.dumps(TRAINING).encode(), timeout=30
        )
        assert "position" in json.loads(reply.data)
        resident = Path(f"/proc/{outsider.running.process.pid}/status").read_text()
        assert int(resident.split("VmRSS:")[1].split()[0]) < 400_000
        assert sum(f.stat().st_size for f in outsider.running.home.glob("rejected*")) < 5 << 20


@pytest.mark.parametrize(
    ("user", "password"), [("outsider", "wrong"), ("nobody", ""), ("owner", ""), ("system", "x")]
)
async def test_who_has_no_password_is_not_let_in(user: str, password: str, tmp_path: Path) -> None:
    async with outside(tmp_path) as outsider:
        host, port = outsider.running.note["nats"].rpartition("@")[2].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            await reader.readline()  # who the server is
            asked = json.dumps({"user": user, "pass": password, "verbose": False})
            writer.write(f"CONNECT {asked}\r\nPING\r\nSUB > 1\r\n".encode())
            said = await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()
            await writer.wait_closed()
        assert said == b"-ERR 'Authorization Violation'\r\n"
        assert f'authentication error - User "{user}"' in outsider.server_log


async def test_a_removed_token_ends_what_it_opened(tmp_path: Path) -> None:
    async with outside(tmp_path) as outsider:
        Tokens(outsider.running.home / "tokens.json").remove("outsider")
        for _ in range(50):
            await asyncio.sleep(0.1)
            if outsider.client.is_closed:
                break
        assert outsider.client.is_closed
