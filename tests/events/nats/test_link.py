"""The link comes back whatever the server says, and says what is wrong without its secrets."""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path

import pytest

from events.nats.link import Link, without_secrets
from tests.events.nats.serving import USERS, killed, linked, running, server_in, serving, until

OTHER = USERS.replace("password: secret", "password: changed")


@pytest.mark.real
async def test_it_waits_for_a_server_that_is_not_there_yet(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "nats").mkdir()
    (tmp_path / "nats" / "port").write_text(str(port))
    link = Link(f"nats://127.0.0.1:{port}", user="system", password="secret")
    async with running(link.run):
        await until(lambda: "nobody listens there" in link.failure)
        async with serving(tmp_path) as server:
            assert server.port == port
            await link.wait()
            assert link.failure == ""
            await link.close()


@pytest.mark.real
async def test_a_password_that_is_refused_for_a_while_does_not_end_it(tmp_path: Path) -> None:
    users = [USERS]
    server = server_in(tmp_path)
    server._accounts = lambda: users[0]
    server.start()
    await server.ready()
    watching = asyncio.create_task(server.run())
    try:
        async with linked(server) as link:
            answers = link.broker.subscriber("test.ask")
            answers(_yes)
            await link.broker.start()
            users[0] = OTHER  # the server drops whoever came in with the old one
            await until(lambda: "Authorization" in link.failure)
            users[0] = USERS
            await until(lambda: link.connected)
            answer = await link.nc.request("test.ask", b"?", timeout=5)
            assert answer.data == b"yes"
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await server.stop()


async def _yes(_: bytes) -> str:
    return "yes"


@pytest.mark.real
async def test_its_subscribers_go_on_after_the_server_was_killed(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, linked(server) as link:
        answers = link.broker.subscriber("test.ask")
        answers(_yes)
        await link.broker.start()
        rings: list[int] = []
        link.listen(lambda: rings.append(1))
        for times in (1, 2, 3):
            await killed(server)
            await until(lambda: len(rings) == times)  # noqa: B023
            assert (await link.nc.request("test.ask", b"?", timeout=5)).data == b"yes"


@pytest.mark.real
async def test_what_is_asked_when_the_connection_is_lost_fails_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, linked(server) as link:
        asked = asyncio.create_task(link.ask(asyncio.sleep(60)))
        await asyncio.sleep(0)
        await killed(server)
        with pytest.raises(Exception, match="the connection was lost"):
            await asked
        asked = asyncio.create_task(link.ask(asyncio.sleep(60)))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked


@pytest.mark.real
async def test_it_can_be_closed_while_the_server_is_away(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        link = Link(server.url, user="system", password="secret")
        await link.open()
        await link.broker.start()
    async with asyncio.timeout(5):
        await link.close()


async def test_what_it_says_has_no_secrets_in_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    link = Link("nats://me:hidden@127.0.0.1:1,nats://me:hidden@127.0.0.1:2")
    async with running(link.run):
        await until(lambda: "nobody listens there" in link.failure)
    await link.close()
    assert "hidden" not in link.failure + caplog.text
    said = [one for one in caplog.records if one.name == "events.nats.link"]
    assert len(said) == 1, "said once, however often it was tried"


def test_an_address_is_shown_without_user_and_password() -> None:
    assert without_secrets("nats://a:b@h:1,c:d@[::1]:2") == "nats://h:1,nats://[::1]:2"
    assert without_secrets("tls://h:1") == "tls://h:1"
