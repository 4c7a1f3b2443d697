"""One connection to NATS, for FastStream and for nats-py, that never gives up.

Whatever the server says and however long it is away, the link comes back by itself: to this end it
holds the client in its own hands. FastStream's own error callback raises on a refused password,
which ends its reconnecting for good and in silence; nats-py closes for good on any error that the
server sends, for instance while its users are loaded anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError

from events.nats.client import DENIED, Client

log = logging.getLogger(__name__)
T = TypeVar("T")
Dropped = Callable[[str, str], Awaitable[None]]
"""Takes the subject and the reply subject of a message that is lost."""

AGAIN = 0.25
"""Seconds between two attempts to connect."""
PING = 10.0
"""Seconds between signs of life; when the third is due and none came, the connection is lost."""
LEAVE = 2.0
"""Seconds for a polite end."""
PENDING = 8 * 1024 * 1024
"""Bytes that may wait for the socket."""
FROM = "Ratchet-From"
REFUSED = "authorization violation"


class Link:
    """A connection; `open` it before anything is taken from it."""

    name = "nats"

    def __init__(
        self,
        url: str,
        *,
        user: str = "",
        password: str = "",
        credentials: str = "",
        name: str = "ratchet",
        inbox: str = "_INBOX",
    ) -> None:
        self.shown = without_secrets(url)
        """The address, fit to be printed."""
        self._options: dict[str, Any] = {
            "servers": url.split(","),
            "user": user or None,
            "password": password or None,
            "user_credentials": credentials or None,
            "name": name,
            "inbox_prefix": inbox,
        }
        self.nc: Any = Client()
        self.nc.listen = self.listen
        self.js: Any = self.nc.jetstream()
        self._broker: Any = None
        self.signature = {FROM: self.nc._nuid.next().decode()}
        """Headers by which what was said over this link is known again."""
        self._heard: list[Callable[[], None]] = []
        self._dropped: list[Dropped] = []
        self._denied: list[Callable[[str], None]] = []
        self._asking: set[asyncio.Task[Any]] = set()
        self._begun = False
        self._up = asyncio.Event()
        self._away_since = time.monotonic()
        self._why = ""
        self._said: set[str] = set()

    @property
    def broker(self) -> Any:
        """The FastStream broker over this link; start it once the link is open."""
        if self._broker is None:
            from events.nats.broker import Broker  # a third of the time in which `up` starts

            self._broker = Broker(self.nc)
        return self._broker

    async def load(self) -> Any:
        """The broker, loaded while the process goes on with other things."""
        await asyncio.to_thread(import_module, "events.nats.broker")
        return self.broker

    @property
    def connected(self) -> bool:
        return bool(self.nc.is_connected)

    @property
    def failure(self) -> str:
        """What is wrong with it, or ''."""
        if self.connected:
            return ""
        seconds = time.monotonic() - self._away_since
        why = f" ({self._why})" if self._why else ""
        return f"not connected to {self.shown} for {seconds:.0f} s{why}"

    @property
    def refused(self) -> bool:
        """Whether the server does not let us in, as who we say we are."""
        return not self.connected and REFUSED in self._why.lower()

    @property
    def server(self) -> dict[str, Any]:
        """What the server says about itself."""
        return dict(self.nc._server_info)

    def said(self, message: Any) -> bool:
        """Whether the message was said over this link, under its signature."""
        return bool((message.headers or {}).get(FROM) == self.signature[FROM])

    async def open(self) -> None:
        """Connect; waits for a server that is not there yet."""
        self._begun = True
        await self.nc.connect(
            **self._options,
            error_cb=self._trouble,
            disconnected_cb=self._lost,
            reconnected_cb=self._back,
            max_reconnect_attempts=-1,
            reconnect_time_wait=AGAIN,
            pending_size=PENDING,
            ping_interval=PING,
            drain_timeout=2,
        )
        await self._back()

    async def run(self) -> None:
        """Be there until cancelled."""
        if not self._begun:
            await self.open()
        await asyncio.Event().wait()

    async def wait(self) -> None:
        """Return when the link is there: opened, by whoever opens it, or back again."""
        still_wanted()
        await self._up.wait()

    def listen(self, heard: Callable[[], None]) -> Callable[[], None]:
        """Call `heard` whenever the link is there (again), until what is returned is called."""
        self._heard.append(heard)
        return lambda: self._heard.remove(heard) if heard in self._heard else None

    def overflows(self, dropped: Dropped) -> None:
        """Call `dropped` for each message that found a full queue."""
        self._dropped.append(dropped)

    def denies(self, denied: Callable[[str], None]) -> None:
        """Call `denied` with what the server says when something here is not for this user."""
        self._denied.append(denied)

    async def ask(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of some requests; an error at once where there is no connection, or no more.

        What is asked without one would lie in the client until the server is back, when nobody
        waits for it any more.
        """
        if not self.connected:
            work.close()
            raise NatsError("not connected")
        task = asyncio.ensure_future(work)
        self._asking.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            still_wanted()
            raise NatsError("the connection was lost") from None
        finally:
            self._asking.discard(task)
            still_wanted()  # what was asked may have lost it, and answered or failed instead

    async def close(self) -> None:
        """Let go of it, connected or not."""
        self._heard.clear()
        with suppress(NatsError, TimeoutError, OSError):
            if self.connected:
                await self.nc.flush(1)
        if self._broker is not None:
            await self._broker.stop()
        if self._begun:
            with suppress(OSError, TimeoutError):  # it is lost just now: so be it
                async with asyncio.timeout(LEAVE):
                    await self.nc.close()
            self.nc.cut()

    async def _trouble(self, error: Exception) -> None:
        """Said once for each way in which it fails; a server that is away is tried often."""
        if isinstance(error, SlowConsumerError):
            for dropped in tuple(self._dropped):
                await dropped(error.subject, error.reply)
            return
        if DENIED in str(error).lower():
            for denied in tuple(self._denied):
                denied(str(error))
        if self.refused and isinstance(error, ConnectionResetError | BrokenPipeError):
            return  # of the connection that it has just refused
        self._why = _reason(error)
        if self._why not in self._said:
            self._said.add(self._why)
            log.warning("%s: %s", self.shown, self._why)

    async def _lost(self) -> None:
        self._up.clear()
        if not self.nc.is_closed:
            self._away_since = time.monotonic()
            log.warning("the connection to %s is lost; trying again", self.shown)
        for one in self._asking:
            one.cancel()

    async def _back(self) -> None:
        self._why = ""
        self._said.clear()
        self._up.set()
        log.info("connected to %s", self.shown)
        for heard in tuple(self._heard):
            heard()


def still_wanted() -> None:
    """Be cancelled, if this was asked for; to be called in every loop around requests.

    `asyncio.wait_for` of Python 3.11, in which nats-py waits for answers, loses a cancellation
    that comes at the same moment as the answer.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def without_secrets(url: str) -> str:
    """The addresses without user and password."""
    shown = []
    for one in url.split(","):
        parts = urlsplit(one if "://" in one else f"nats://{one}")
        shown.append(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
    return ",".join(shown)


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error).removeprefix("nats: ").strip("'\"") or type(error).__name__
