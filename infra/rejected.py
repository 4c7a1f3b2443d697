"""Messages that were refused, and those that a reader gave up: with reasons, to be tried again.

What was refused is kept as a help and not as a promise: the file is bounded, the bodies are cut,
and where it cannot be written nobody is told, because the refusal itself has been said to the
sender. What was given up has no sender to be told, so it is kept in a file of its own that no flood
of refusals empties, and whoever gives it here learns when it cannot be written.

Nothing of a person may stay here, because no key could be deleted to forget it. So only a message
of a type without personal fields is kept whole, and of those that models read only what holds
neither a secret nor somebody's data. Of any other, and of what cannot be read at all,
there is where it went wrong, if that is a place that we know, and the size.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from events.envelope import Draft, Envelope, format_time
from events.errors import NotFound, NotYours
from events.ids import derived_id
from events.ingress import OPERATOR, admitted, admitted_body, parsed
from events.memory import utc_now
from events.message import Event, event_class
from events.suggest import near
from infra.fitness import speaks_of_somebody

BODY = 4096
"""Bytes of a refused message that are kept."""
FULL = 1 << 20
"""Bytes after which the file makes room; the one before it is kept as `.1`."""
FULL_OF_GIVEN_UP = 8 << 20
PLACES = ("type", "data", "id", "token", "reply", "server", "Content-Type", "Content-Encoding")
"""Their names are ours, and no words of the sender's."""
HIDDEN = "the sender was told; what may speak of a person is not kept"
REASON = 500
"""Characters of a reader's reason that are kept."""
REFUSED, GIVEN_UP = "refused", "given up"

Entry = dict[str, Any]
"""One message. `retried` stands in it once it was tried again: when, and what came of it."""


class Rejected:
    """The files of one home. Only its owner makes room in them; others may mark."""

    def __init__(self, folder: Path) -> None:
        self._refused, self._given_up = folder / "rejected.jsonl", folder / "given_up.jsonl"
        self.count = 0
        """Refused since this process began."""

    def keep(
        self,
        actor: str,
        reason: dict[str, str],
        body: bytes,
        kind: str = "",
        event_id: str | None = None,
    ) -> None:
        """Add one that was refused. Never fails.

        `kind` is the type where the body is the bare data of an event, whose id stands beside it.
        """
        self.count += 1
        known = event_class(kind) if kind else _kind(body)
        entry = {
            "id": secrets.token_hex(5),
            "kind": REFUSED,
            "time": format_time(utc_now()),
            "actor": actor,
            "type": known.wire if known else "",
            **_told(reason, body, known),
            "bytes": len(body),
        }
        if kind and entry["whole"]:
            entry |= {"bare": True, "event_id": event_id and event_id[:100]}
        with suppress(OSError):
            _add(self._refused, entry, FULL)

    def give_up(
        self, stream: str, consumer: str, sequence: int, deliveries: int, reason: str,
        said: Envelope | None,
    ) -> Entry:  # fmt: skip
        """Add one that a consumer gave up: the same one twice is one."""
        place = f"{stream}/{consumer}/{sequence}"
        known = None if said is None else event_class(said.type)
        if known is not None and known.personal:
            reason = f"{reason.partition(':')[0][:60]}; what may speak of a person is not kept"
        right = "mend the reader; then `ratchet rejected retry` gives it the message again"
        entry = {
            "id": sha256(place.encode()).hexdigest()[:10],
            "kind": GIVEN_UP,
            "time": format_time(utc_now()),
            "consumer": consumer,
            "position": None if said is None else said.position,
            "type": "" if said is None else said.type,
            "event_id": None if said is None else said.event_id,
            "deliveries": deliveries,
            "reason": {"what": reason[:REASON], "where": f"consumer {consumer}", "right": right},
        }
        _add(self._given_up, entry, FULL_OF_GIVEN_UP, durable=True)
        return entry

    def all(self) -> list[Entry]:
        """Those that are still kept, the oldest first."""
        found: dict[str, Entry] = {}
        for file in (self._refused, self._given_up):
            for line in _lines(file):
                if "retried" in line:
                    if line["retried"] in found:
                        found[line["retried"]]["retried"] = line["answer"]
                else:
                    found[line["id"]] = line
        return sorted(found.values(), key=lambda entry: str(entry["time"]))

    def one(self, id_: str) -> Entry:
        """The one of this id."""
        found = {entry["id"]: entry for entry in self.all()}
        if id_ not in found:
            hint = near(id_[:100], found)
            right = f"did you mean {hint!r}?" if hint else "`ratchet rejected list --all` shows all"
            raise NotFound(f"no message {id_[:60]!r} is kept here", where="ID", right=right)
        return found[id_]

    def retried(self, entry: Entry, answer: dict[str, Any]) -> None:
        """Mark it as tried again; `answer` is what came of it."""
        file = self._given_up if entry["kind"] == GIVEN_UP else self._refused
        told = {"time": format_time(utc_now()), **answer}
        _add(file, {"retried": entry["id"], "answer": told}, durable=True)


def said_again(entry: Entry) -> Draft:
    """What was refused, as if it came anew from one who may say all that people may.

    However often it is tried it is published once: where it had no id, it has one from now on.
    """
    kind = event_class(entry["type"])
    if kind is not None and kind.outcome:
        raise NotYours(
            "a worker's answer is admitted under the lease of its request only",
            where=entry["id"],
            right="nothing: when that lease ends, the request goes to a worker again",
        )
    if not entry["whole"]:
        much = f"the first {BODY:,} bytes" if entry.get("body") else "nothing"
        raise NotFound(
            f"{much} of this message was kept, too little to publish it again",
            where=entry["id"],
            right=f"let {entry.get('actor', 'its sender')!r} send it again, mended",
        )
    body, own = entry["body"].encode(), derived_id("rejected", entry["id"])
    if entry.get("bare"):
        given = entry["event_id"]
        return admitted(entry["type"], parsed(body), own if given is None else given, OPERATOR)
    one = admitted_body(body, OPERATOR)
    return one if one.known_id else one._replace(event_id=own, known_id=True)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """What was written, the older file first; a torn line is none."""
    for one in (file.with_name(f"{file.name}.1"), file):
        try:
            lines = one.read_bytes().splitlines()
        except OSError:
            continue
        for line in lines:
            with suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict) and ("time" in found or "retried" in found):
                    yield _complete(found, line)


def _complete(found: dict[str, Any], line: bytes) -> dict[str, Any]:
    """Homes that are older than retrying have neither ids nor kinds, and no message is whole."""
    if "retried" in found or "id" in found:
        return found
    return {
        "id": sha256(line).hexdigest()[:10],
        "kind": REFUSED,
        "type": "",
        "whole": False,
    } | found


def _add(file: Path, entry: dict[str, Any], full: int = 0, durable: bool = False) -> None:
    """Write one line; before the file is larger than `full`, it makes room."""
    line = json.dumps(entry).encode() + b"\n"
    with suppress(FileNotFoundError):
        if full and file.stat().st_size + len(line) > full:
            os.replace(file, file.with_name(f"{file.name}.1"))
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line)
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)


def _kind(body: bytes) -> type[Event] | None:
    """Which event it was to be, if that can be told."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    name = message.get("type") if isinstance(message, dict) else None
    return event_class(name) if isinstance(name, str) else None


def _told(reason: dict[str, str], body: bytes, kind: type[Event] | None) -> dict[str, object]:
    """The reason and the body, as far as they may be kept."""
    if kind is not None and not kind.personal:
        kept = body[:BODY].decode("utf-8", "backslashreplace")
        whole = kept.encode() == body
        if not speaks_of_somebody(kind.wire, kept):
            return {"reason": reason, "body": kept, "whole": whole}
    nothing = {"body": "", "whole": False}
    where = reason.get("where", "")
    if where == "body":  # its size, or why it is no JSON: nothing of it is repeated
        return {"reason": reason, **nothing}
    known = where in PLACES or (kind is not None and where in kind.model_fields)
    what = f"a {kind.wire} was refused" if kind else "a message of no known type was refused"
    told = {"what": what, "where": where if known else "", "right": HIDDEN}
    return {"reason": told, **nothing}
