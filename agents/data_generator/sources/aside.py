"""Long sums beside the loop, in threads that nobody waits for when the process is told to end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def aside(work: Callable[..., T], *given: Any) -> T:
    """What the work gives, while others have the loop. Whoever is cancelled leaves it to itself;
    it may end with the process at any point, as it might be killed at any."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[T] = loop.create_future()

    def told(result: T | None, error: BaseException | None) -> None:
        if came.cancelled():
            return
        if error is not None:
            came.set_exception(error)
        else:
            came.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = work(*given)
        except BaseException as trouble:
            error = trouble
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(told, result, error)

    threading.Thread(target=run, name=getattr(work, "__name__", "aside"), daemon=True).start()
    return await came
