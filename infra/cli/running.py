"""What commands share that run for long: they are told to stop by signals, and log to stderr."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from contextlib import suppress

from events.errors import LogUnavailable, NoRoom, ReadOnly
from events.store import EventStore

log = logging.getLogger(__name__)

DEADLINE = 9.0
"""Seconds after which a stop is no longer polite."""
LOOK = 1.0
"""Seconds between looks whether the log can be used."""


def log_to_stderr(level: str) -> None:
    shape = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(stream=sys.stderr, level=level.upper(), format=shape)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


class Stop:
    """Hears the signals: the first asks, the second commands."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._hear, number)

    def _hear(self, number: int) -> None:
        if self._asked.is_set():
            _say("stopped at once")
            os._exit(128 + number)
        self._asked.set()
        late = threading.Timer(DEADLINE, _give_up)
        late.daemon = True
        late.start()

    async def asked(self, seconds: float) -> bool:
        """Whether to stop, after at most so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        return self._asked.is_set()


async def reached(store: EventStore, stop: Stop) -> bool:
    """Wait until the log can be used, or until told to stop: then False. What no waiting would
    mend goes up."""
    told = ""
    while True:
        try:
            await store.head()
        except (NoRoom, ReadOnly):
            raise
        except LogUnavailable as away:
            if str(away) != told:
                told = str(away)
                log.warning("waiting for the log: %s", told)
        else:
            if told:
                log.info("the log is there")
            return True
        if await stop.asked(LOOK):
            return False


def _give_up() -> None:
    _say(f"not everything ended within {DEADLINE:g} s; what was acknowledged is kept")
    os._exit(0)


def _say(text: str) -> None:
    print(f"ratchet: {text}", file=sys.stderr, flush=True)
