"""Writes the golden files anew: `make golden`. Read their diff before you commit it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from events.message import event_classes
from events.schema import described
from infra.cli.main import COMMANDS, app, module_of

HERE = Path(__file__).parent
WIDTH = 100


def catalog() -> str:
    """The shape of every event, by its wire name."""
    kept = ("schema_version", "publisher", "schema")
    shapes = {
        wire: {name: value for name, value in described(kind).items() if name in kept}
        for wire, kind in event_classes().items()
        if kind.__module__.startswith("events.")  # tests define events of their own
    }
    return json.dumps(shapes, indent=1, sort_keys=True) + "\n"


def help_text() -> str:
    """What `--help` says of every command and of those below it."""
    table = typer.main.get_command(app)
    parts = [_help(table, "ratchet")]
    for name in COMMANDS:
        parts += _below(typer.main.get_command(module_of(name).app), f"ratchet {name}")
    return "\n".join(parts)


def _below(command: Any, path: str) -> Iterator[str]:
    yield _help(command, path)
    for name, inner in getattr(command, "commands", {}).items():
        yield from _below(inner, f"{path} {name}")


def _help(command: Any, path: str) -> str:
    command.name = path.rpartition(" ")[2]
    context = typer.Context(command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH)
    return f"$ {path} --help\n\n{command.get_help(context)}\n"


FILES: dict[str, Callable[[], str]] = {"catalog.json": catalog, "help.txt": help_text}


def main() -> None:
    for name, made in FILES.items():
        (HERE / name).write_text(made(), encoding="utf-8")
        print(f"wrote {HERE.name}/{name}")


if __name__ == "__main__":
    main()
