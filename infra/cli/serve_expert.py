"""`ratchet serve-expert`: the exact expert of a model type where a cloud model could stand."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli import show

if TYPE_CHECKING:
    from infra.cli.running import Stop
    from infra.experts.app import App

LOOK = 3600.0
"""Seconds after which it is asked again whether to stop; being told is noticed at once."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def serve_expert(
    name: Annotated[
        str, typer.Argument(metavar="TYPE", help="A model type, or path/to/file.py[:NAME].")
    ],
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="8760 if it is free; 0 for any.")
    ] = None,
) -> None:
    """Serve the exact expert of a model type as an OpenAI-compatible endpoint, on loopback.

    It is a program that solves and checks, and no language model: it knows only problems in the
    type's own language, is right about those, and declines all others.
    """
    from infra.experts.app import App
    from infra.experts.expert import experts_of
    from infra.sockets import listening_socket
    from trainers.model_types.finding import model_type

    experts = experts_of([model_type(name)])
    with listening_socket("127.0.0.1", 8760 if port is None else port, port is not None) as door:
        url = f"http://127.0.0.1:{door.getsockname()[1]}/v1"
        cards = [one.card() for one in experts.values()]
        told = [f"  {one['id']}\n    {one['description']}" for one in cards]
        lines = [f"{url} answers for", *told, "stop with Ctrl-C"]
        show.answer({"url": url, "models": cards}, "\n".join(lines))
        asyncio.run(_serve(App(experts), door))


async def _serve(app: App, door: socket.socket) -> None:
    from infra.cli.running import Stop
    from infra.experts.server import serve

    await serve(app, door, _told(Stop()))


async def _told(stop: Stop) -> None:
    while not await stop.asked(LOOK):
        pass
