"""Every command of ours that a file or the README names is parsed by the command itself."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from typing import Any

import pytest
import typer.main

from infra.cli.main import COMMANDS
from tests.infra.deploy.files import (
    DEPLOY,
    compose,
    container,
    known_settings,
    readme,
    settings_named,
    workloads,
)

ANYWHERE = {"--json", "--home"}
"""Options that stand anywhere on the line."""


def named(text: str) -> list[str]:
    """What stands behind `ratchet` where it is a command, up to the next pipe, quote or end."""
    return re.findall(r"(?<![\w/-])ratchet ([a-z][a-z-]+(?: [^|>&;`'\"#)\n]+)?)", text)


def code(text: str) -> str:
    """The parts of a page that are to be typed."""
    lines = [line for line in text.splitlines() if line.startswith("    ")]
    return "\n".join([*lines, *re.findall(r"`([^`]+)`", text.replace("\n", " "))])


def lines() -> list[str]:
    found = [line for line in named(code(readme())) if line.split()[0] in COMMANDS]
    found += named(compose()["services"]["accounts"]["entrypoint"][2])
    for name in ("ratchet", "worker"):
        found += [shlex.join(compose()["services"][name]["command"])]
        found += [shlex.join(container(workloads()[name])["args"])]
    return sorted({line.strip() for line in found})


def parsed(words: list[str]) -> Any:
    """The context that the command itself makes of these words."""
    module = import_module(f"infra.cli.{words[0].replace('-', '_')}")
    command: Any = typer.main.get_command(module.app)
    rest = words[1:]
    if hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    return command.make_context(words[0], [word for word in rest if word not in ANYWHERE])


@pytest.mark.parametrize("line", lines())
def test_a_command_with_its_options_is_one_of_ours(line: str) -> None:
    parsed(shlex.split(line))


def test_commands_are_found() -> None:
    assert {line.split()[0] for line in lines()} >= {
        "up", "worker", "tokens", "nats", "move", "audit",
    }  # fmt: skip


def test_an_option_that_there_is_not_would_be_found() -> None:
    with pytest.raises(typer.TyperException):
        parsed(["audit", "--heads", "x"])


def test_the_settings_that_the_readme_names_are_settings() -> None:
    assert settings_named(readme()) >= {"nats.url", "workers.token"}
    assert settings_named(readme()) <= known_settings()


def test_the_files_that_the_readme_names_are_there() -> None:
    names = set(re.findall(r"`?(?:kubernetes/)?([\w.-]+\.(?:yaml|conf|sql))`?", readme()))
    there = {file.name for file in DEPLOY.rglob("*")}
    assert names - there <= {"accounts.conf"}
    assert {"kustomization.yaml", "holder.yaml", "secrets.template.yaml"} <= names
