"""How tests run here: an `async def` test has an event loop of its own, and time is not a judge."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

from events import message
from tests.events.server import PostgresServer
from tests.order import turn

settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of several processes
        items.sort(key=lambda item: turn(item.nodeid))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(autouse=True)
def the_catalogue_of_events() -> Iterator[None]:
    """Without what a test has defined in itself, as soon as it is over: others read all of it."""
    yield
    for wire, kind in tuple(message._named.items()):
        if getattr(sys.modules.get(kind.__module__), kind.__name__, None) is not kind:
            del message._named[wire]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A Postgres server for all tests that want one; each makes a database of its own."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()
