"""`ratchet prove`: that an event stands in the log, so that a stranger can check it."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from events.errors import LogUnavailable
from events.proof import Proof, prove, written
from events.store import EventStore
from events.why import event_at
from infra.cli import show

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("prove")
def tell(
    event: str = typer.Argument(metavar="EVENT", help="Its position, or its id."),
    to: str = typer.Option("", metavar="FILE", help="Write the proof to a file."),
) -> None:
    """Make the proof that an event stands under the signed head of the log.

    `ratchet verify-proof` checks it with the public key of this home alone, keys/head.pub: give
    that key to whoever shall check proofs, by a way that they trust.
    """
    found = show.reading(lambda store: _proved(store, event))
    text = written(found)
    if not to:
        show.answer(json.loads(text), text.rstrip("\n"))
        return
    try:
        Path(to).write_text(text)
    except OSError as error:
        raise LogUnavailable(
            f"the proof cannot be written ({error.strerror})",
            where=to,
            right="a file in a folder that this user may write",
        ) from None
    position, head = found.event.position, found.head
    show.answer(
        {"file": to, "position": position, "head": head.position, "bytes": len(text.encode())},
        f"The proof that event {position:,} stands under the head at {head.position:,} is in {to}; "
        f"it is checked with the key {head.key}.",
    )


async def _proved(store: EventStore, name: str) -> Proof:
    return await prove(store, await event_at(store, name))
