"""`ratchet worker`: carry out requests for a log on another machine, without its database.

Models and data are artifacts, so who trains here needs the place where they lie: `store.artifacts`,
the same for the owner and for all its workers. Who has no such place, or no torch, asks for
rehearsals alone and leaves everything else to others.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from contextlib import suppress
from typing import Annotated

import typer

from agents.trainer.workers.pretend import REHEARSAL
from agents.worker import Runner, Worker
from events.errors import LogUnavailable, Malformed, RatchetError
from events.nats.desk import NatsDesk
from events.nats.link import Link
from events.nats.users import inbox_of, user_of
from infra.cli import show
from infra.cli.running import Stop, log_to_stderr
from infra.settings import Settings, configuration
from infra.training import Trainers, missing, pipelines

app = typer.Typer(add_completion=False, rich_markup_mode=None)
log = logging.getLogger(__name__)

LOOK = 0.5
TRIES = 10
"""Looks at which the server may refuse us before we believe it: it may be loading its users."""


@app.command()
def worker(
    url: Annotated[
        str | None, typer.Option(help="Of the nats-server, as `ratchet up` tells it.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(help="With the scope worker; RATCHET__WORKERS__TOKEN keeps it from view."),
    ] = None,
    slots: Annotated[
        int | None, typer.Option(min=1, max=256, help="Requests carried out at the same time.")
    ] = None,
) -> None:
    """Carry out requests of a log on another machine; stop with Ctrl-C."""
    given = {"nats.url": url, "workers.token": token, "workers.slots": slots}
    settings = configuration(given).settings
    secret = settings.workers.token.get_secret_value()
    for value, option in ((settings.nats.url, "--url"), (secret, "--token")):
        if not value:
            right = "ratchet worker --url nats://HOST:PORT --token TOKEN"
            raise Malformed(f"a worker needs {option}", where=option, right=right)
    log_to_stderr(settings.log.level)
    sys.exit(asyncio.run(_run(settings, secret)))


async def _run(settings: Settings, token: str) -> int:
    stop = Stop()
    trainers = Trainers(show.home(), settings)
    grants = {one.kind.wire: one for one in trainers.workers()}
    user = user_of(token)
    link = Link(
        settings.nats.url, user=user, password=token, name="ratchet worker", inbox=inbox_of(user)
    )
    opening = asyncio.create_task(link.open())
    try:
        if not await _let_in(link, opening, stop):
            return 0
        return await _work(settings, link, token, grants, stop)
    finally:
        opening.cancel()
        with suppress(asyncio.CancelledError, RatchetError):
            await opening
        await link.close()
        await trainers.close()


async def _let_in(link: Link, opening: asyncio.Task[None], stop: Stop) -> bool:
    """Wait for the server; whether it came before the stop. A refused token is no waiting."""
    while not opening.done():
        if await stop.asked(0.05):
            return False
        if link.refused:
            raise _not_let_in(link)
    await opening
    return True


def _not_let_in(link: Link) -> LogUnavailable:
    return LogUnavailable(
        "this server does not let the token in",
        where=link.shown,
        right="`ratchet tokens add NAME --scope worker` beside its `ratchet up` makes one",
    )


async def _work(
    settings: Settings, link: Link, token: str, grants: dict[str, Worker], stop: Stop
) -> int:
    holder = f"{socket.gethostname()}.{os.getpid()}"[-100:]
    why = _only_rehearses(settings)
    known = (REHEARSAL,) if why else pipelines()
    desk = NatsDesk(link, token, holder, known)
    await desk.open(grants)
    runner = Runner(grants, desk, settings.workers.slots)
    names = ", ".join(sorted(grants))
    document = {
        "nats": link.shown,
        "holder": holder,
        "grants": sorted(grants),
        "pipelines": sorted(known),
        "reason": why,
    }
    only = f", of rehearsals alone: {why}" if why else ""
    show.answer(document, f"worker {holder} grants {names} for {link.shown}{only}")
    running, refused = asyncio.create_task(runner.run()), 0
    try:
        while not await stop.asked(LOOK):
            refused = refused + 1 if link.refused else 0
            if refused > TRIES:
                raise _not_let_in(link)
            if running.done():
                _raise_first(running)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    log.info("stopped; %d requests were answered", runner.answered)
    return 0


def _only_rehearses(settings: Settings) -> str:
    """Why nothing real can be trained here, or ''."""
    if not settings.store.artifacts:
        return "no artifacts in common with the owner (store.artifacts)"
    absent = missing()
    return f"{absent} is not installed (pip install 'ratchet-fleet[train]')" if absent else ""


def _raise_first(running: asyncio.Task[None]) -> None:
    """What ended the work, alone: there is no use in waiting where the token was revoked."""
    error = running.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    raise error or LogUnavailable("the work has ended")
