"""`ratchet roles`: what models are for, as files that people write and as history holds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from agents.rules import ROLES
from events.catalog.roles import RoleProfile
from events.ingress import admitted
from events.suggest import malformed
from infra.cli import show
from infra.cli.states import named, state

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def roles() -> None:
    """What models are for."""


@app.command("list")
def list_roles() -> None:
    """List the roles that are defined."""
    rows = [
        {
            "role": row["role"],
            "purpose": row["profile"]["purpose"],
            "model_type": row["profile"]["model_type"],
            "kind": row["profile"]["kind"],
            "defined_at": row["defined_at"],
        }
        for row in state(ROLES).values()
    ]
    columns = ("role", "kind", "model_type", "purpose")
    table = show.table(columns, [[row[name] for name in columns] for row in rows])
    show.answer({"roles": rows}, table if rows else "No role is defined: `ratchet roles apply`.")


@app.command("show")
def show_role(name: str = typer.Argument(metavar="NAME", help="Which role.")) -> None:
    """Show one role with its whole profile."""
    show.answer(named("role", name, state(ROLES)))


@app.command()
def apply(
    paths: Annotated[list[str], typer.Argument(metavar="FILE", help="YAML, or folders of it.")],
) -> None:
    """Define the roles of these files, as far as history does not hold them so already."""
    from infra.cli import applying  # YAML: 25 ms that the other commands need not pay
    from infra.cli.files import at, content

    def written(file: Path) -> applying.Written:
        data = content(file)
        try:
            profile = RoleProfile.model_validate_json(json.dumps(data))
        except ValidationError as error:
            raise at(file, malformed(RoleProfile, error)) from None
        one = admitted("RoleDefined", {"role": profile.name, "profile": data})
        return applying.Written(profile.name, profile.model_dump(mode="json"), one)

    applying.apply(paths, "role", ROLES, "profile", written)
