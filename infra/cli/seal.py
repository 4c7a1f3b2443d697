"""`ratchet seal`: old segments of the log as signed files, to be kept elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from events.archive import SIZE, Sealed
from events.archiving import seal as sealed
from events.chain import Signer
from events.errors import LogDamaged
from infra.cli import show
from infra.home import Home

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def seal(
    folder: str = typer.Argument(metavar="DIR", help="Where to; what is there already is kept."),
    until: Annotated[
        int | None,
        typer.Option(metavar="POSITION", help="Up to here, with a shorter last segment."),
    ] = None,
) -> None:
    """Write whole segments of 65,536 events as JSON lines, each with a signed manifest.

    Nothing is taken out of the log. Called again it writes what has come since, and what is lost;
    `ratchet verify-proof DIR` checks it all.
    """
    home, place = show.home(), Path(folder)
    told = show.progress("seal")
    done = show.reading(lambda store: sealed(store, lambda: _signer(home), place, until, told))
    document = {
        "folder": folder,
        "sealed": [one.model_dump() | {"file": one.name} for one in done.made],
        "kept": len(done.kept),
        "written_again": done.again,
        "until": max((one.last for one in (*done.kept, *done.made)), default=0),
    }
    show.answer(document, _text(folder, done))


def _signer(home: Home) -> Signer:
    """The key that is there: one made now would have signed nothing."""
    if not (home.keys / "head.key").exists():
        raise LogDamaged(
            "the signing key of this home is gone",
            where=str(home.keys / "head.key"),
            right="bring the file back from a backup",
        )
    return Signer.of(home.keys)


def _text(folder: str, done: Sealed) -> str:
    kept = f"{len(done.kept)} were there" + (f", {done.again} written again" if done.again else "")
    if not done.made:
        return (
            f"Nothing new to seal ({kept}): a segment has {SIZE:,} events; "
            "--until POSITION makes a shorter one."
        )
    first, last, many = done.made[0].first, done.made[-1].last, len(done.made)
    return f"Sealed the events {first:,} to {last:,} in {many} files in {folder} ({kept})."
