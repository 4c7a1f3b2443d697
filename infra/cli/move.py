"""`ratchet move`: the log of this home into a Postgres, where many homes share it."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Annotated

import typer

from events.chain import Signer
from events.errors import Malformed, ReadOnly
from events.keeper import Keeper
from infra.cli import show
from infra.home import Home, Lock
from infra.settings import configuration, home_folder

app = typer.Typer(add_completion=False, rich_markup_mode=None)

WAIT = 1.0
"""Seconds to wait for who owns the home: an owner that runs for long is to be stopped first."""


@app.command()
def move(
    to: Annotated[
        str,
        typer.Option(help="postgres://...; store.url unless told, where nobody else can read it."),
    ] = "",
) -> None:
    """Copy this home's log to Postgres, whole and checked; from then on it lies there."""
    from events.sql.postgres.address import address  # asyncpg, which no other command needs
    from events.sql.postgres.moving import move

    url = to or configuration().settings.store.url
    if not url:
        raise Malformed("nobody said where to", where="--to", right="--to postgres://HOST/DATABASE")
    place, home = address(url), Home(home_folder(show.Chosen.home))
    said = {name: show.progress(name) for name in ("copied", "verified")}
    with Lock(home) as lock:
        if home.folder.is_dir() and not lock.take():
            lock.wait(WAIT)
        gone = home.moved_to()
        if gone not in (None, place.place):
            raise ReadOnly(f"the log of this home was moved to {gone}", where=str(home.folder))
        head, copied = asyncio.run(
            move(
                home.database,
                place,
                Signer.of(home.keys),
                Keeper.of(home.keys),
                lambda what, done, whole: said[what](done, whole),
            )
        )
        _mark(home, {"to": place.place, "position": head.position, "hash": head.hash})
    document = {
        "to": place.place,
        "position": head.position,
        "hash": head.hash,
        "copied": copied,
        "home": str(home.folder),
    }
    text = f"moved {head.position:,} events to {place}" if copied else f"already moved to {place}"
    show.answer(
        document,
        f"{text}\nnext: set store.url, and give each home of this log a copy of {home.keys}",
    )


def _mark(home: Home, said: dict[str, object]) -> None:
    """From now on no command takes the file in the home for the log."""
    made = home.moved.with_suffix(f".{os.getpid()}")
    with made.open("w") as file:
        json.dump(said, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(made, home.moved)
