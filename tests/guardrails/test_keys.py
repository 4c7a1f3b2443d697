"""What of us goes over the wire: the key to whom it belongs, and nothing else to anybody."""

from __future__ import annotations

import json
import logging
import ssl
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import BaseModel

from events.errors import Malformed
from guardrails.budget import Budget
from guardrails.caller import Call, Caller, Message
from guardrails.refusals import CallFailed
from tests.guardrails.asks import HELLO, Slept, failure
from tests.guardrails.server import KEY, Said, Server, fails, in_order, says


class Sum(BaseModel):
    """What is asked for where a structure is."""

    total: int


async def test_nothing_about_this_machine_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-private")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-private: yes")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with Server(in_order(says("Hi."))) as server:
        caller = Caller([server.endpoint()])
        await caller.ask("teacher", HELLO, budget=Budget())
        await caller.close()
    assert server.asked[0].headers.keys() - {""} == {
        "host",
        "content-type",
        "content-length",
        "accept-encoding",
        "authorization",
    }
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"


async def test_without_a_key_no_key_is_sent() -> None:
    async with Server(in_order(says("Hi."))) as server:
        caller = Caller([server.endpoint(key="")])
        await caller.ask("teacher", HELLO, budget=Budget())
        await caller.close()
    assert "authorization" not in server.asked[0].headers


async def test_a_key_appears_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    slashed = KEY.replace("/", "\\/")
    echoes = [
        fails(401, f"wrong key: {KEY}", code=KEY, param=KEY),
        Said(f"<html>{KEY}</html>".encode()),
        Said(f'{{"choices": "{slashed}"}}'.encode()),
        says(f"Your key is {KEY}."),
        Said(f'{{"choices": [{{"message": {{"content": "it is {slashed}"}}}}]}}'.encode()),
        says(None, refusal=f"I know {KEY}."),
        fails(503, KEY, {"retry-after": KEY, "x-key": KEY}),
        Said(delay=9),
    ]
    shown: list[str] = []
    for echo in echoes:
        calls: list[Call] = []
        async with Server(in_order(echo)) as server:
            endpoint = server.endpoint(timeout_s=0.2)
            caller = Caller([endpoint], calls.append, sleep=Slept())
            mine = [Message("user", f"My key is {KEY}, what is it?")]
            for kind in (None, Sum):
                try:
                    answer = await caller.ask("teacher", mine, budget=Budget(), answer=kind)
                    shown.append(repr(answer))
                except CallFailed as error:
                    shown += [str(error), repr(error.__dict__)]
                    shown += traceback.format_exception(error)
            await caller.close()
        assert all(KEY not in json.dumps(asked.body) for asked in server.asked)
        shown += [repr(calls), json.dumps([call._asdict() for call in calls])]
        shown += [repr(endpoint), str(endpoint), endpoint.model_dump_json(), repr(caller)]
    everything = "\n".join([*shown, caplog.text])
    assert "[KEY]" in everything
    assert "teacher" in everything
    assert KEY not in everything
    assert slashed not in everything


async def test_a_key_that_no_header_can_hold_is_told_without_showing_it() -> None:
    async with Server(in_order(says("Hi."))) as server:
        with pytest.raises(Malformed) as caught:
            Caller([server.endpoint(key=f"{KEY}\n")])
    assert KEY not in str(caught.value)
    assert "endpoint teacher" in str(caught.value)


def own_certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 which nobody but itself vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    signed = (
        built.not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + signed.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


async def test_a_server_that_nobody_vouches_for_gets_no_key(tmp_path: Path) -> None:
    async with Server(in_order(says("Hi.")), own_certificate(tmp_path)) as server:
        caller = Caller([server.endpoint()], sleep=Slept())
        found = await failure(caller)
        await caller.close()
    assert found.kind == "unreachable"
    assert "certificate" in str(found).lower()
    assert server.asked == []
