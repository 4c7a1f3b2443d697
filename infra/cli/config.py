"""`ratchet config`: the settings in force, and where each of them comes from."""

from __future__ import annotations

import typer

from infra.cli import show
from infra.settings import configuration

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def config() -> None:
    """The settings in force, and where each comes from."""


@app.command("show")
def show_settings() -> None:
    """Show every setting with its value and its origin."""
    rows = [
        {"key": one.key, "value": one.value, "origin": one.origin}
        for one in configuration().origins
    ]
    columns = ("key", "value", "origin")
    table = show.table(columns, [[row[name] for name in columns] for row in rows])
    show.answer({"settings": rows, "home": str(show.home().folder)}, table)
