"""`ratchet`: the table of commands, and how every one of them ends.

The table is data, so that `ratchet --help` loads no command at all. `--home` and `--json` may stand
anywhere on the line.
"""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import typer
import typer.core
import typer.main

from events.errors import LogUnavailable, Malformed, RatchetError
from infra.cli import show
from infra.names import check_names

COMMANDS = {
    "init": "Write a commented ratchet.yaml and roles/ into this folder.",
    "up": "Run everything; stop with Ctrl-C.",
    "worker": "Carry out requests of a log on another machine.",
    "demo": "Play one whole training run on this machine, offline.",
    "doctor": "What is there, what is missing, how to mend it.",
    "publish": "Append an event and trigger work.",
    "events": "The catalogue and the history.",
    "why": "The causes and consequences of an event.",
    "replay": "The state as it was at a position or a time.",
    "audit": "Is the chain intact, and is every decision derived again?",
    "prove": "That an event stands under the signed head, for a stranger to check.",
    "verify-proof": "Does a proof, or a sealed segment, hold under a public key?",
    "move": "The log of this home into a Postgres, for many homes.",
    "seal": "Old segments of the log as signed files.",
    "what-if": "What another policy would have decided.",
    "roles": "What models are for.",
    "types": "What a model can be trained for; write a type of your own.",
    "serve-expert": "The exact expert of a model type, where a cloud model could stand.",
    "policies": "The rules by which agents decide.",
    "data": "Training data: what there is, your own rows, and what must not be in it.",
    "knowledge": "What the fleet knows: search it, add to it.",
    "review": "Pairs of answers that wait for a person.",
    "forget": "Make all that is personal about somebody unreadable.",
    "runs": "Training runs, and a hand on them.",
    "models": "The registry: versions, why each was taken, where it came from.",
    "memories": "What models remember.",
    "messages": "What models say to each other.",
    "schedules": "What happens again and again.",
    "agents": "Who works here; pause and resume them.",
    "projections": "The states kept from the log; drop one, and it comes back.",
    "tokens": "Bearer tokens for callers beyond loopback.",
    "rejected": "Messages that were refused or given up; try them again.",
    "nats": "What a nats-server of your own has to know of this home.",
    "config": "The settings in force, and where each comes from.",
}

MODULES = {"types": "model_types"}
"""Where a command's module is not named as the command is."""


class Table(typer.core.TyperGroup):
    """Shows the table without loading it; loads a command when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  (the signature is typer's)
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        if not ctx.meta.get("ratchet.called"):
            return typer.core.TyperCommand(cmd_name, help=COMMANDS[cmd_name])
        command = typer.main.get_command(module_of(cmd_name).app)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            close = get_close_matches(name[:100].lower(), COMMANDS, n=1)
            right = f"did you mean {close[0]!r}?" if close else "`ratchet --help` lists them"
            raise Malformed(f"there is no command {name[:60]!r}", where="ratchet", right=right)
        ctx.meta["ratchet.called"] = True
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader had enough, as in `ratchet events list | head`
            show.mute()
            sys.exit(0)


def module_of(command: str) -> Any:
    """The module that has this command as its `app`."""
    return import_module(f"infra.cli.{MODULES.get(command, command.replace('-', '_'))}")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # 30 ms, for those who ask

        here = {"ratchet": version("ratchet-fleet"), "python": sys.version.split()[0]}
        show.answer(here, f"ratchet {here['ratchet']}, Python {here['python']}")
        raise typer.Exit


app = typer.Typer(cls=Table, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback(epilog="--home and --json may stand anywhere on the line.")
def ratchet(
    home: str = typer.Option("", help="The folder that holds the log; RATCHET_HOME, .ratchet."),
    json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
    version: bool = typer.Option(
        False, "--version", help="Which version this is.", callback=_version, is_eager=True
    ),
) -> None:
    """Keeps a fleet of small language models getting better and never worse, and proves why."""


def main() -> None:
    """The entry point: run the command, and end with one sentence and a code if it cannot be."""
    show.open_streams()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # Looking through every installed package for plugins of pydantic takes a command 50 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    arguments = show.options(sys.argv[1:])
    try:
        check_names()
        code = app(args=arguments, prog_name="ratchet", standalone_mode=False)
    except RatchetError as error:
        show.failure(error)
        code = error.exit_code
    except typer.TyperException as error:
        code = _usage(error)
    except OSError as error:
        show.failure(_refused(error))
        show.mute()
        code = LogUnavailable.exit_code
    sys.exit(code)


def _usage(error: Any) -> int:
    """A line that cannot be read; without any command, the help."""
    context = getattr(error, "ctx", None)
    if not error.format_message().strip() or type(error).__name__ == "NoArgsIsHelpError":
        print(context.get_help() if context else "ratchet --help", file=sys.stderr)
        return Malformed.exit_code
    path = context.command_path if context else "ratchet"
    what = " ".join(error.format_message().split()).rstrip(".")
    show.failure(Malformed(what, where=path, right=f"`{path} --help` shows what there is"))
    return Malformed.exit_code


def _refused(error: OSError) -> RatchetError:
    where = str(error.filename) if error.filename else ""
    return LogUnavailable(f"this machine refused: {error.strerror or error}", where=where)


if __name__ == "__main__":
    main()
