"""The hash chain over the log, and the signed head that shows where it ends.

Encoding, version 1: the fields of an envelope in fixed order, one a line, data last. No field but
the data is ever admitted with a line break in it and data is compact JSON, so no two envelopes
share an encoding; an absent field is '-', a present optional one begins with '+'.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from events.envelope import Envelope
from events.errors import LogDamaged

GENESIS = "0" * 64


def link(
    previous_hash: str,
    position: int,
    event_id: str,
    kind: str,
    schema: int,
    stream: str,
    version: int,
    recorded_at: str,
    actor: str,
    correlation_id: str,
    cause_id: str | None,
    key_id: str | None,
    data: str,
) -> str:
    """The hash of one envelope, in the chain behind `previous_hash`."""
    cause = "-" if cause_id is None else f"+{cause_id}"
    key = "-" if key_id is None else f"+{key_id}"
    text = (
        f"ratchet event 1\n{previous_hash}\n{position}\n{event_id}\n{kind}\n{schema}\n{stream}\n"
        f"{version}\n{recorded_at}\n{actor}\n{correlation_id}\n{cause}\n{key}\n{data}"
    )
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def holds(envelope: Envelope, previous_hash: str) -> bool:
    """Whether `envelope` is what was once linked behind `previous_hash`."""
    (position, event_id, kind, schema, stream, version, recorded_at, actor, correlation_id,
     cause_id, data, key_id, previous, digest) = envelope  # fmt: skip
    return previous == previous_hash and digest == link(
        previous_hash, position, event_id, kind, schema, stream, version, recorded_at, actor,
        correlation_id, cause_id, key_id, data,
    )  # fmt: skip


class Head(NamedTuple):
    """Where the log ends, said under signature."""

    position: int
    hash: str
    signature: str
    key: str
    """The public key, in hex."""
    root: str = ""
    """Of the Merkle tree over the hashes so far; '' in a head of version 1, which had none."""


EMPTY = Head(0, GENESIS, "", "")


def statement(position: int, digest: str, root: str) -> bytes:
    """What is signed: the end of the chain, which fixes all that lies before it, and the root."""
    if not root:
        return f"ratchet head 1\n{position}\n{digest}\n".encode()
    return f"ratchet head 2\n{position}\n{digest}\n{root}\n".encode()


class Signer:
    """Signs heads with the private key of one home."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw().hex()

    @classmethod
    def fresh(cls) -> Signer:
        """A key for a log that lives as long as this process."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def of(cls, folder: Path) -> Signer:
        """The key kept in `folder`, made there on first use."""
        private = folder / "head.key"
        if not private.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            made = Ed25519PrivateKey.generate()
            (folder / "head.pub").write_text(made.public_key().public_bytes_raw().hex() + "\n")
            written = folder / f"head.key.{os.getpid()}"
            handle = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(made.private_bytes_raw().hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(written, private)
        try:
            seed = bytes.fromhex(private.read_text().strip())
            return cls(Ed25519PrivateKey.from_private_bytes(seed))
        except ValueError as error:
            raise LogDamaged(
                "the signing key of this home cannot be read",
                where=str(private),
                right="bring the file back from a backup: without it no event can be added",
            ) from error

    def sign(self, position: int, digest: str, root: str) -> Head:
        signature = self.signature(statement(position, digest, root))
        return Head(position, digest, signature, self.public, root)

    def signature(self, said: bytes) -> str:
        """Over a statement that says by its first line what it is."""
        return self._key.sign(said).hex()


def signed(head: Head, public: str | None = None) -> bool:
    """Whether the signature is genuine, and by `public` where the key is known beforehand."""
    said = statement(head.position, head.hash, head.root)
    return head.key == (public or head.key) and genuine(head.signature, said, head.key)


def genuine(signature: str, said: bytes, public: str) -> bool:
    """Whether the holder of the key signed this statement."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), said)
    except (InvalidSignature, ValueError):
        return False
    return True
