"""`ratchet worker`: carry out requests for a log on another machine, without its database.

Models and data are artifacts, so who trains or verifies here needs the place where they lie:
`store.artifacts`, the same for the owner and for all its workers; whether it is the same is looked
at first. Who has no such place, or no torch, asks for rehearsals alone and leaves everything else
to others. Benchmarks are answered by who has their files.
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
from events.catalog.training import StageRequested
from events.errors import LogUnavailable, Malformed, RatchetError
from events.nats.desk import NatsDesk
from events.nats.link import Link
from events.nats.users import inbox_of, user_of
from infra.cli import show
from infra.cli.running import Stop, log_to_stderr
from infra.home import Home
from infra.marking import elsewhere
from infra.settings import Settings, configuration
from infra.training import Trainers, missing, pipelines
from infra.verifying import suites, verifiers

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
    home = show.home()
    trainers = Trainers(home, settings)
    user = user_of(token)
    link = Link(
        settings.nats.url, user=user, password=token, name="ratchet worker", inbox=inbox_of(user)
    )
    opening = asyncio.create_task(link.open())
    try:
        if not await _let_in(link, opening, stop):
            return 0
        return await _work(home, settings, link, token, trainers, stop)
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
    home: Home, settings: Settings, link: Link, token: str, trainers: Trainers, stop: Stop
) -> int:
    holder = f"{socket.gethostname()}.{os.getpid()}"[-100:]
    desk = NatsDesk(link, token, holder)
    why = _only_rehearses(settings) or await _elsewhere(home, link, desk, stop)
    if why is None:
        return 0
    known, workers = (REHEARSAL,) if why else pipelines(), [*trainers.workers()]
    if why:
        desk.takes(known)
    else:
        workers += verifiers(home, settings, trainers)
        desk.takes(known, await asyncio.to_thread(suites, home, settings))
    grants: dict[str, Worker] = {one.kind.wire: one for one in workers}
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
                _raise_first(running, link)
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


async def _elsewhere(home: Home, link: Link, desk: NatsDesk, stop: Stop) -> str | None:
    """Why this place of artifacts is not the owner's, or ''; None where a stop came first. Nobody
    can tell before an owner answers, and until then there is nothing to do."""
    refused = 0
    while True:
        try:
            mark = await desk.mark(StageRequested.wire)
            return "" if mark is None else await asyncio.to_thread(elsewhere, home.artifacts, mark)
        except LogUnavailable as away:
            refused = refused + 1 if link.refused else 0
            if refused > TRIES:
                raise _not_let_in(link) from None
            log.info("waiting for an owner: %s", away)
        if await stop.asked(LOOK):
            return None


def _raise_first(running: asyncio.Task[None], link: Link) -> None:
    """What ended the work, alone: there is no use in waiting where the token was revoked."""
    error = running.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if type(error) is RatchetError and error.where == "token":  # the owner was quicker than NATS
        raise _not_let_in(link)
    raise error or LogUnavailable("the work has ended")
