"""The client of nats-py as a link needs it: it comes back whatever the server says or does not.

It knows the library from inside, and leans on names that are not promised: a new version of it has
to pass the tests of the link.
"""

from __future__ import annotations

import asyncio
from typing import Any

from nats.aio import client as library
from nats.aio.client import PING_PROTO
from nats.errors import Error as NatsError

from events.nats.pull import Listen, Prompt

ANSWER = 3.0
"""Seconds within which JetStream has to answer."""
DENIED = "permissions violation"


class Client(library.Client):  # type: ignore[misc]  # the library's types are Any here
    """A client that comes back."""

    listen: Listen

    def jetstream(self, **_: Any) -> Prompt:
        made = Prompt(self, timeout=ANSWER)
        made.listen = self.listen
        return made

    async def _send_ping(self, future: asyncio.Future[bool] | None = None) -> None:
        """In line with what waits to be sent: the library's own ping overtakes subscriptions.

        Then a flush returns before the server knows them, and messages are missed.
        """
        self._pongs.append(future or asyncio.get_running_loop().create_future())
        await self._send_command(PING_PROTO)
        await self._flush_pending()

    async def _process_info(self, info: Any, initial_connection: bool = False) -> None:
        """Before the password is sent. The library sends it to whoever does not ask for TLS."""
        asked = self._current_server.uri.scheme == "tls"
        if initial_connection and asked and not info.get("tls_required"):
            raise NatsError("the server does not speak TLS, and tls:// asks for it")
        await super()._process_info(info, initial_connection)

    async def _connect_to_server(self, server: Any) -> None:
        if self._transport is not None:  # of an attempt that was refused; nobody else closes it
            self._transport.close()
        await super()._connect_to_server(server)

    async def _process_err(self, err_msg: str) -> None:
        error = NatsError(f"nats: {err_msg.strip(chr(39))}")
        self._err = error
        if DENIED in err_msg.lower():
            await self._error_cb(error)
        else:
            await self._process_op_err(error)

    async def _process_op_err(self, e: Exception) -> None:
        if self.is_connected:
            self.cut()
        await super()._process_op_err(e)

    def cut(self) -> None:
        """Let go of the socket and of what waits there. To close it is to wait until that is sent,
        and a server that stands still never takes it."""
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()
