"""A proof convinces whoever has the public key, of its own event only, in any language."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from events.chain import Signer
from events.envelope import draft
from events.errors import Malformed, RatchetError, TooLarge
from events.memory import MemoryStore
from events.proof import MOST, Proof, flaw, parsed, prove, read, written
from events.store import append
from tests.events.messages import Clock, Noted

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
END = 1500


async def _proofs() -> list[Proof]:
    store = MemoryStore(Clock(), SIGNER)
    [first] = await append(
        store, draft(Noted(text='☃ \n " \\ é'), f"{0:08}-0000-7000-8000-{0:012}")
    )
    for number in range(1, END):
        one = draft(Noted(text=str(number)), f"{number:08}-0000-7000-8000-{number:012}")
        await append(store, one, cause=first if number % 2 else None, actor="human:ann")
    return [await prove(store, one) for one in await store.read(limit=END)]


PROOFS = asyncio.run(_proofs())
FIRST = PROOFS[0]


def stranger(text: str, public: str) -> bool:
    """As the README tells it, with nothing of ours."""
    proof = json.loads(text)
    event, head = proof["event"], proof["head"]
    names = (
        "previous_hash", "position", "event_id", "type", "schema", "stream", "version",
        "recorded_at", "actor", "correlation_id",
    )  # fmt: skip
    optional = [
        "-" if event[name] is None else f"+{event[name]}" for name in ("cause_id", "key_id")
    ]
    lines = ["ratchet event 1", *(str(event[name]) for name in names), *optional, event["data"]]
    node = sha256("\n".join(lines).encode()).digest()
    path, index, last = b64decode(proof["path"]), event["position"] - 1, head["position"] - 1
    if index > last or len(path) % 32:
        return False
    for start in range(0, len(path), 32):
        sibling = path[start : start + 32]
        if last == 0:
            return False
        if index % 2 or index == last:
            node = sha256(b"\x01" + sibling + node).digest()
            while index % 2 == 0:
                index, last = index // 2, last // 2
        else:
            node = sha256(b"\x01" + node + sibling).digest()
        index, last = index // 2, last // 2
    said = f"ratchet head 2\n{head['position']}\n{head['hash']}\n{node.hex()}\n".encode()
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(head["signature"]), said)
    except InvalidSignature:
        return False
    return bool(last == 0)


def test_every_event_is_proven_to_us_and_to_a_stranger() -> None:
    for proof in PROOFS:
        text = written(proof)
        assert read(parsed(text.encode())) == proof
        assert flaw(proof, SIGNER.public) == ""
        assert stranger(text, SIGNER.public)


def test_the_document_is_the_one_of_version_1_for_ever() -> None:
    text = written(PROOFS[2])
    document = json.loads(text)
    assert list(document) == ["proof", "event", "path", "head"]
    assert document["proof"] == "ratchet proof 1"
    assert list(document["event"]) == [
        "position", "event_id", "type", "schema", "stream", "version", "recorded_at", "actor",
        "correlation_id", "cause_id", "data", "key_id", "previous_hash",
    ]  # fmt: skip
    assert list(document["head"]) == ["position", "hash", "signature", "key", "root"]
    assert sha256(text.encode()).hexdigest() == GOLDEN


GOLDEN = "bc7c9a2e6316a4a2e9ccf3073faa549b5704ef8cb5eb9824b017bae0791e673d"


def test_a_proof_of_an_event_with_200_bytes_is_small() -> None:
    """20 nodes are the path in a log of a million; tests/bench/proof.py makes that log."""
    data = Noted(text="x" * 177).written()
    assert len(data) == 200
    event = PROOFS[-1].event._replace(data=data, position=1_000_000, version=1_000_000)
    head = PROOFS[-1].head._replace(position=1_000_000)
    assert len(written(Proof(event, [b"\xff" * 32] * 20, head)).encode()) < 2000


def test_a_proof_is_verified_for_the_key_that_is_trusted_only() -> None:
    other = Signer.fresh().public
    assert "signed with another key" in flaw(FIRST, other)
    taken_over = FIRST._replace(head=FIRST.head._replace(key=other))
    assert "signature of its head" in flaw(taken_over, other)


def test_what_does_not_hold_is_told_apart() -> None:
    other = PROOFS[5]
    assert "do not lead to the root" in flaw(FIRST._replace(event=other.event), SIGNER.public)
    assert "do not lead to the root" in flaw(FIRST._replace(beside=other.beside), SIGNER.public)
    beyond = FIRST.event._replace(position=END + 1)
    assert "behind its head" in flaw(FIRST._replace(event=beyond), SIGNER.public)
    old = SIGNER.sign(END, FIRST.head.hash, "")
    assert "do not lead to the root" in flaw(FIRST._replace(head=old), SIGNER.public)


@given(st.sampled_from(PROOFS), st.integers(0, 1 << 30), st.integers(1, 255))
@settings(max_examples=400, deadline=None)
def test_no_byte_of_a_proof_can_be_changed(proof: Proof, place: int, mask: int) -> None:
    body = bytearray(written(proof).encode())
    body[place % len(body)] ^= mask
    try:
        found = read(parsed(bytes(body)))
    except RatchetError:
        return
    assume(found != proof)  # a blank for a line's end, "A" written \u0041: the same is said
    assert flaw(found, SIGNER.public)


FIELDS: list[tuple[str, str]] = [
    (part, name) for part in ("event", "head") for name in json.loads(written(FIRST))[part]
]


@given(st.sampled_from(PROOFS), st.sampled_from(FIELDS), st.data())
@settings(max_examples=300, deadline=None)
def test_no_field_of_a_proof_can_be_changed(
    proof: Proof, field: tuple[str, str], data: st.DataObject
) -> None:
    document = json.loads(written(proof))
    part, name = field
    old = document[part][name]
    if isinstance(old, int):
        new: Any = data.draw(st.integers(-1, 1 << 64))
    elif name in ("cause_id", "key_id"):
        new = data.draw(st.none() | st.text(max_size=40))
    else:
        new = data.draw(
            st.text(max_size=70) | st.text("0123456789abcdef", min_size=64, max_size=64)
        )
    assume(new != old)
    document[part][name] = new
    try:
        found = read(document)
    except RatchetError:
        return
    assert flaw(found, SIGNER.public)


def test_lines_of_fields_cannot_be_moved_into_one_another() -> None:
    """The fields are hashed as lines: a field with a line break in it could stand for two."""
    document = json.loads(written(FIRST))
    event = document["event"]
    event["type"], event["stream"] = f"{event['type']}\n{event['schema']}", event["stream"]
    with pytest.raises(Malformed) as caught:
        read(document)
    assert "type" in caught.value.where


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"proof": "ratchet proof 2"}, "proof"),
        ({"path": "no base64!"}, "path"),
        ({"path": "AAAA"}, "path"),
        ({"path": "A" * 5000}, "path"),
        ({"event": {}}, "event"),
        ({"head": None}, "head"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_no_proof_is_told_by_its_place(change: dict[str, Any], where: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(json.loads(written(FIRST)) | change)
    assert where in caught.value.where


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff\xfe", b'{"a": NaN}', b"[" * 9999])
def test_rubbish_is_told_in_a_sentence(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        read(parsed(body))
    assert "\n" not in str(caught.value)


def test_rubbish_is_bounded() -> None:
    with pytest.raises(TooLarge):
        parsed(b" " * (MOST + 1))


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
def test_a_proof_is_checked_in_another_language(tmp_path: Path) -> None:
    program = Path(__file__).with_name("verify_proof.mjs")
    file = tmp_path / "proof.json"
    forged = FIRST._replace(event=FIRST.event._replace(actor="somebody"))
    for proof, says in ((FIRST, "holds\n"), (PROOFS[-1], "holds\n"), (forged, "does not hold\n")):
        file.write_text(written(proof))
        ran = subprocess.run(
            ["node", program, file, SIGNER.public], capture_output=True, text=True, check=False
        )
        assert (ran.stdout, ran.returncode, ran.stderr) == (says, int(says != "holds\n"), "")
