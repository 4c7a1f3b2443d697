"""The link comes back whatever the server says, and says what is wrong without its secrets."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from events.nats import link as links
from events.nats.link import Link, without_secrets
from infra.servers import NatsServer
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
            answer = await link.nc.request("test.ask", b"?", timeout=30)
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
            assert (await link.nc.request("test.ask", b"?", timeout=30)).data == b"yes"


@pytest.mark.real
async def test_what_is_asked_when_the_connection_is_lost_fails_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, linked(server) as link:
        asked = asyncio.create_task(link.ask(asyncio.sleep(60)))
        await asyncio.sleep(0)
        await killed(server)
        with pytest.raises(Exception, match="the connection was lost"):
            await asked
        await link.wait()
        asked = asyncio.create_task(link.ask(asyncio.sleep(60)))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked


@pytest.mark.real
@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancellation_that_is_lost_in_what_was_asked_counts_all_the_same(
    tmp_path: Path, fails: bool
) -> None:
    reached = asyncio.Event()

    async def deaf() -> str:
        reached.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if fails:
                raise ValueError("no") from None
        return "yes"

    async with serving(tmp_path) as server, linked(server) as link:
        asked = asyncio.create_task(link.ask(deaf()))
        await reached.wait()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked


@pytest.mark.real
async def test_a_server_that_stands_still_is_noticed_whatever_waits_to_be_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "PING", 0.2)
    async with serving(tmp_path) as server, linked(server) as link:
        asked = asyncio.create_task(link.ask(asyncio.sleep(60)))
        async with stuffed(link, server):
            async with asyncio.timeout(10):
                with pytest.raises(Exception, match="the connection was lost"):
                    await asked
            assert not link.connected
        await until(lambda: link.connected)


@pytest.mark.real
async def test_it_can_be_closed_while_the_server_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "LEAVE", 0.2)
    async with serving(tmp_path) as server, linked(server) as link, stuffed(link, server):
        async with asyncio.timeout(5):
            await link.close()


@asynccontextmanager
async def stuffed(link: Link, server: NatsServer) -> AsyncIterator[None]:
    """It stands still meanwhile, and its socket takes nothing more."""
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    try:
        while link.connected and not waiting(link):
            await link.nc.publish("test.much", bytes(1_000_000))
            await asyncio.sleep(0)
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


def waiting(link: Link) -> int:
    """Bytes that the socket did not take."""
    return int(link.nc._transport._io_writer.transport.get_write_buffer_size())


@pytest.mark.real
async def test_while_the_server_is_away_it_asks_nothing_and_can_be_closed(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        link = Link(server.url, user="system", password="secret")
        await link.open()
        await link.broker.start()
    await until(lambda: not link.connected)
    with pytest.raises(Exception, match="not connected"):
        await link.ask(asyncio.sleep(60))
    async with asyncio.timeout(5):
        await link.close()


@pytest.mark.real
async def test_where_tls_is_asked_for_the_password_goes_to_nobody_who_does_not_speak_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = bytearray()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.15.0","max_payload":1048576}\r\n')
        heard.extend(await reader.read())
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = Link(f"tls://127.0.0.1:{port}", user="system", password="secret")
    async with server, running(link.run):
        await until(lambda: "does not speak TLS" in link.failure)
        await link.close()
    assert heard == b""

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path)))
    files = f'cert_file: "{tmp_path}/cert.pem", key_file: "{tmp_path}/key.pem"'
    speaking = server_in(tmp_path, f"{USERS}\ntls {{ {files} }}")
    speaking.start()
    await speaking.ready()
    link = Link(f"tls://127.0.0.1:{speaking.port}", user="system", password="secret")
    async with running(link.run):
        await link.wait()
        await link.nc.flush(2)
    await link.close()
    await speaking.stop()


def certificate(folder: Path) -> Path:
    """One for 127.0.0.1, signed by itself, with its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")]), datetime.now(UTC)
    place = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(place, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))
    return folder / "cert.pem"


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
