"""Proofs: one event, the way from it to the root of the log's tree, and the signed head.

Whoever has the public key of the home checks one without the log: the fields of the event give its
hash, the path leads from that to the root, and the head says under signature that this is the root
of the log up to its position. The document is made so that any language can read it.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints, ValidationError
from pydantic_core import from_json

from events.chain import Head, link, signed
from events.envelope import Envelope
from events.errors import LogDamaged, Malformed, NotFound, TooLarge
from events.merkle import SEGMENT, Frontier, climbed, leaves, path, standing
from events.message import Value
from events.store import EventStore
from events.suggest import malformed

MOST = 4 << 20
"""Bytes that a proof may have: an event is at most 1 MiB, and its quotes are escaped once more."""
Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Signature = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\n]*$")]
Count = Annotated[int, Field(ge=1, lt=1 << 63)]


class Stated(Value):
    """An event as it is hashed: the columns of the log, `data` as the text that stands there."""

    position: Count
    event_id: Line
    type: Line
    schema_: Annotated[int, Field(alias="schema", ge=0, lt=1 << 63)]
    stream: Line
    version: Count
    recorded_at: Line
    actor: Line
    correlation_id: Line
    cause_id: Line | None
    data: str
    key_id: Line | None
    previous_hash: Hex

    def envelope(self) -> Envelope:
        """With the hash that follows from it."""
        (position, event_id, kind, schema, stream, version, recorded_at, actor, correlation_id,
         cause_id, data, key_id, previous_hash) = (value for _, value in self)  # fmt: skip
        digest = link(
            previous_hash, position, event_id, kind, schema, stream, version, recorded_at, actor,
            correlation_id, cause_id, key_id, data,
        )  # fmt: skip
        return Envelope(
            position, event_id, kind, schema, stream, version, recorded_at, actor, correlation_id,
            cause_id, data, key_id, previous_hash, digest,
        )  # fmt: skip


class SignedHead(Value):
    """A head that has a root."""

    position: Count
    hash: Hex
    signature: Signature
    key: Hex
    root: Hex


class Document(Value):
    """A proof as it is handed on."""

    proof: Literal["ratchet proof 1"]
    event: Stated
    path: Annotated[str, StringConstraints(max_length=4096)]
    head: SignedHead


class Proof(NamedTuple):
    """That an event stands under a head."""

    event: Envelope
    beside: list[bytes]
    """The nodes beside its way up to the root, from below."""
    head: Head


async def prove(store: EventStore, event: Envelope) -> Proof:
    """The proof that an event of the log stands under the head as it is now."""
    head = await rooted_head(store)
    roots = await segment_roots(store, head)
    number, index = divmod(event.position - 1, SEGMENT)
    own = await _leaves(store, number * SEGMENT, head.position)
    rest = await _leaves(store, len(roots) * SEGMENT, head.position)
    upper = [*roots, Frontier().grown(rest).frontier.root()] if rest else roots
    found = Proof(event, path(index, own) + path(number, upper), head)
    wrong = flaw(found, head.key)
    if wrong:
        raise LogDamaged(
            f"the log does not bear out its own head: {wrong}",
            where=f"position {event.position}",
            right="run `ratchet audit`; bring the log back from a backup",
        )
    return found


async def rooted_head(store: EventStore) -> Head:
    """The head of a log that has a tree."""
    head = await store.head()
    if head.position and not head.root:
        raise NotFound(
            "the signed head has no root: an earlier version of Ratchet wrote this log",
            where="head",
            right="`ratchet up`, or any command that writes, builds the tree first",
        )
    return head


def flaw(proof: Proof, public: str) -> str:
    """Why a proof does not hold for whoever trusts this key; '' where it holds."""
    event, beside, head = proof
    if head.key != public:
        return f"its head is signed with another key, {head.key[:16]}..."
    if not signed(head, public):
        return "the signature of its head is not genuine"
    if event.position > head.position:
        return f"its event stands behind its head, which is at position {head.position}"
    root = climbed(bytes.fromhex(event.hash), event.position - 1, head.position, beside)
    if root is None or root.hex() != head.root:
        return "the event and its path do not lead to the root that was signed"
    return ""


def stated(envelope: Envelope) -> dict[str, str | int | None]:
    """An event as it is hashed, without the hash: what `Stated` reads."""
    fields = envelope._asdict()
    del fields["hash"]
    return fields


def written(proof: Proof) -> str:
    """The document, in one line."""
    document = {
        "proof": "ratchet proof 1",
        "event": stated(proof.event),
        "path": b64encode(b"".join(proof.beside)).decode(),
        "head": proof.head._asdict(),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def parsed(body: bytes) -> dict[str, object]:
    """A document from outside, of which nothing is known but that it is an object."""
    if len(body) > MOST:
        raise TooLarge(f"the file has {len(body):,} bytes", right=f"a proof has at most {MOST:,}")
    try:
        found = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        text = str(error).replace("\n", " ")
        raise Malformed(f"this is not JSON in UTF-8 ({text})") from None
    if not isinstance(found, dict):
        raise Malformed("this is no proof", right="the document that `ratchet prove` writes")
    return found


def read(document: dict[str, object]) -> Proof:
    """The proof that a document holds; whether it is true is another question."""
    try:
        found = Document.model_validate(document)
    except ValidationError as error:
        raise malformed(Document, error) from None
    try:
        beside = b64decode(found.path, validate=True)
    except ValueError:
        beside = b"?"
    if len(beside) % 32:
        raise Malformed("the path is no row of hashes", where="path", right="32 bytes each, base64")
    head = Head(**found.head.model_dump())
    nodes = [beside[i : i + 32] for i in range(0, len(beside), 32)]
    return Proof(found.event.envelope(), nodes, head)


async def segment_roots(store: EventStore, head: Head) -> list[bytes]:
    """The roots of the whole segments under a head: the kept ones, if they lead to its root."""
    whole = head.position // SEGMENT
    rest = await _leaves(store, whole * SEGMENT, head.position)
    try:
        kept = leaves((await store.segments())[:whole])
    except LogDamaged:  # only a cache
        kept = []
    if standing(kept, rest).root().hex() == head.root:
        return kept
    tree, roots = Frontier(), dict[int, bytes]()
    for number in range(whole):
        tree, made = tree.grown(await _leaves(store, number * SEGMENT, head.position))
        roots |= made
        await asyncio.sleep(0)  # a long reading lets others have their turn
    return list(roots.values())


async def tree_at(store: EventStore, roots: list[bytes], position: int) -> Frontier:
    """The tree as it was when the log had come to a position."""
    whole = position // SEGMENT
    return standing(roots[:whole], await _leaves(store, whole * SEGMENT, position))


async def _leaves(store: EventStore, after: int, until: int) -> list[bytes]:
    return leaves(await store.hashes(after, until))
