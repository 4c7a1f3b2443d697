"""`ratchet up`: own a home and run everything in it, until told to stop.

What has been acknowledged is on the disk already, so stopping only has to be polite: requests under
way are answered, agents write how far they are, the note is taken away.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from events.errors import LogUnavailable, NoRoom, RatchetError, ReadOnly
from infra.assemble import built, door, wired
from infra.cli import show
from infra.cli.running import Stop, log_to_stderr, reached
from infra.forgetting import from_artifacts
from infra.home import Home, Lock
from infra.house import House
from infra.settings import Configuration, configuration
from infra.sockets import listening_socket
from infra.tokens import Tokens

if TYPE_CHECKING:
    from infra.wire import Wire

app = typer.Typer(add_completion=False, rich_markup_mode=None)
log = logging.getLogger(__name__)

LOOK = 0.5
"""Seconds between looks whether the home is still there."""


@app.command()
def up(
    host: Annotated[
        str | None, typer.Option(help="Where to listen; beyond loopback, calls need a token.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="8750 if it is free; 0 for any.")
    ] = None,
) -> None:
    """Run everything; stop with Ctrl-C."""
    chosen = configuration({"api.host": host, "api.port": port})
    log_to_stderr(chosen.settings.log.level)
    home = show.home()
    with Lock(home) as lock:
        if not lock.take():
            _say(f"waiting for another process to let go of {home.folder}")
            lock.wait()
        try:
            code = asyncio.run(_run(home, chosen))
        except OSError as error:
            raise _explained(error, home) from None
    sys.exit(code)


async def _run(home: Home, chosen: Configuration) -> int:
    api = chosen.settings.api
    insist = any(one.key == "api.port" and one.origin != "default" for one in chosen.origins)
    stop = Stop()
    with listening_socket(api.host, api.port, insist) as listening:
        store = home.writer()
        token = secrets.token_urlsafe(32)
        wire = None
        try:
            if not await reached(store, stop):
                await store.close()
                return 0
            wire = wired(home, chosen.settings, token)
            purges = [from_artifacts(home.artifacts)]
            house = await built(store, chosen.settings, purges=purges, wire=wire, home=home)
        except BaseException:
            await _cut(wire)
            await store.close()
            raise
        server = door(house, home, listening, token)
        parts = asyncio.create_task(house.run(), name="house")
        try:
            await server.open()
            if wire is not None:
                await wire.ready()
            _announce(home, house, server.near_url, token, wire)
            await _greet(home, house, server.url, wire)
            if not (server.loopback or Tokens(home.folder / "tokens.json").all()):
                _say("nobody may call yet: `ratchet tokens add NAME --scope publish` makes a token")
            code = await _watch(home, stop, parts, server.serving)
        finally:
            log.info("stopping")
            home.retire()
            await server.close()
            parts.cancel()
            await asyncio.gather(parts, return_exceptions=True)
            await _let_go(house)
            await _cut(wire)
    log.info("stopped")
    return code


def _announce(home: Home, house: House, url: str, token: str, wire: Wire | None) -> None:
    home.announce(
        {
            "pid": os.getpid(),
            "http": url,
            "nats": None if wire is None else wire.url,
            "token": token,
            "started_at": house.started_at.isoformat(),
        }
    )


async def _greet(home: Home, house: House, url: str, wire: Wire | None) -> None:
    head = await house.store.head()
    nats = None if wire is None else wire.link.shown
    document = {
        "http": url,
        "nats": nats,
        "home": str(home.folder),
        "pid": os.getpid(),
        "position": head.position,
    }
    doors = url if nats is None else f"{url}, {nats}"
    show.answer(document, f"ratchet is up: {doors}, home {home.folder}")


async def _watch(
    home: Home, stop: Stop, parts: asyncio.Task[None], serving: asyncio.Task[None] | None
) -> int:
    """Until told to stop, or until there is nothing left to own; the exit code."""
    mine = _mark(home.mainstay)
    while not await stop.asked(LOOK):
        if mine is None or _mark(home.mainstay) != mine:
            log.error("the home %s has vanished; nothing more can be kept in it", home.folder)
            return LogUnavailable.exit_code
        for part in (parts, serving):
            if part is not None and part.done():
                log.error("%s has ended", part.get_name(), exc_info=part.exception())
                return 1
    return 0


async def _cut(wire: Wire | None) -> None:
    if wire is not None:
        await wire.close()


async def _let_go(house: House) -> None:
    try:
        await house.close()
    except RatchetError as error:  # caches only: what was acknowledged is in the log
        log.warning("not everything could be kept: %s", error)
        with suppress(RatchetError):
            await house.store.close()


def _mark(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _explained(error: OSError, home: Home) -> RatchetError:
    where, why = str(error.filename or home.folder), error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NoRoom("the disk is full", where=where, right="free some space, and start again")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        right = "make the folder writable for this user, or name another with --home"
        return ReadOnly(f"the home cannot be written ({why})", where=where, right=right)
    return LogUnavailable(f"ratchet cannot run here ({why})", where=where)


def _say(text: str) -> None:
    print(f"ratchet: {text}", file=sys.stderr, flush=True)
