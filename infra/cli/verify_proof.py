"""`ratchet verify-proof`: checks what a home has signed, with its public key and nothing else."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import typer

from events.archive import Manifest, damage, disordered, manifest, manifests, unrooted
from events.errors import Malformed, NotFound, RatchetError
from events.proof import MOST, flaw, parsed, read
from infra.cli import show

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_KEY = re.compile(r"[0-9a-f]{64}")


class _Key(NamedTuple):
    """Whom we trust, and why we know the key."""

    public: str
    source: str


@app.command("verify-proof")
def verify(
    file: str = typer.Argument(
        metavar="FILE", help="A proof, a sealed segment's manifest, or a folder of these."
    ),
    key: str = typer.Option("", metavar="FILE|HEX", help="The public key: keys/head.pub."),
) -> None:
    """Check a proof, or sealed segments, with a public key alone: neither log nor home is needed.

    Without --key it is the key of this home, where there is one. A key taken from the proof itself
    would prove nothing: anybody can sign with a key of their own.
    """
    place, trusted = Path(file), _trusted(key)
    try:
        found = _segments(place, trusted) if place.is_dir() else _document(place, trusted)
    except RatchetError as error:
        where = file if error.where in ("", file) else f"{file}, {error.where}"
        raise type(error)(error.what, where=where, right=error.right) from None
    reason = found.pop("reason")
    said = found.pop("said")
    document = {"holds": not reason, "reason": reason, **found, "key": trusted.public}
    by = f"The key is {trusted.public}, {trusted.source}."
    says = f"It does NOT hold: {reason}." if reason else f"It holds: {said}."
    show.answer(document, f"{says}\n{by}")
    if reason:
        sys.exit(1)


def _document(file: Path, key: _Key) -> dict[str, Any]:
    document = parsed(_bytes(file))
    if "seal" in document:
        return _one_segment(file, manifest(document), key)
    proof = read(document)
    event, head = proof.event, proof.head
    return {
        "reason": flaw(proof, key.public),
        "said": f"{event.type} stands at position {event.position:,} of {head.position:,}, in "
        f"{event.stream}, by {event.actor}, {event.recorded_at[:19].replace('T', ' ')}",
        "position": event.position,
        "event_id": event.event_id,
        "type": event.type,
        "head": head.position,
    }


def _one_segment(file: Path, one: Manifest, key: _Key) -> dict[str, Any]:
    """With its neighbours, as far as they lie beside it: that they lie behind one another."""
    near = [
        other
        for other in manifests(file.parent)
        if other.last == one.first - 1 or other.first == one.last + 1
    ]
    row = sorted([*near, one], key=lambda other: other.first)
    return _told(disordered(row, key.public) or damage(file.parent, one), [one])


def _segments(folder: Path, key: _Key) -> dict[str, Any]:
    """All of a folder, the roots of the tree too where it has the log from its beginning."""
    found = manifests(folder)
    if not found:
        raise NotFound("the folder holds no sealed segments", right="what `ratchet seal` wrote")
    damages = (wrong for one in found if (wrong := damage(folder, one)))
    reason = disordered(found, key.public) or next(damages, "")
    if not reason and found[0].first == 1:
        reason = unrooted(folder, found)
    return _told(reason, found)


def _told(reason: str, found: list[Manifest]) -> dict[str, Any]:
    first, last = found[0].first, found[-1].last
    return {
        "reason": reason,
        "said": f"the events {first:,} to {last:,} are as they were sealed",
        "first": first,
        "last": last,
    }


def _trusted(key: str) -> _Key:
    if not key:
        home = show.home()
        public = (home.public_key or "").lower()
        if not _KEY.fullmatch(public):
            raise NotFound(
                "there is no public key to check it with",
                where="--key",
                right="--key FILE or HEX, got from whoever signed by a way that you trust; the key "
                "in the proof itself would prove nothing",
            )
        return _Key(public, f"that of this home, {home.keys / 'head.pub'}")
    if _KEY.fullmatch(key.lower()):
        return _Key(key.lower(), "as given")
    text = _bytes(Path(key), 1000).decode(errors="replace").strip().lower()
    if not _KEY.fullmatch(text):
        raise Malformed("the file holds no public key", where=key, right="64 hex digits")
    return _Key(text, f"from {key}")


def _bytes(file: Path, most: int = MOST) -> bytes:
    """The content, and one byte more than it may have."""
    try:
        with file.open("rb") as source:
            return source.read(most + 1)
    except FileNotFoundError:
        raise NotFound("there is no such file", where=str(file)) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise Malformed(f"the file cannot be read ({why})", where=str(file)) from None
