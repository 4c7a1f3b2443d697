"""`ratchet policies`: the rules by which agents decide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from agents.rules import POLICIES as ADOPTED
from events.catalog.policies import POLICIES, Policy
from events.errors import Malformed
from events.ingress import admitted
from events.suggest import malformed, near
from infra.cli import show
from infra.cli.states import named, state

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def policies() -> None:
    """The rules by which agents decide."""


@app.command("list")
def list_policies() -> None:
    """List the policy in force of every agent that has one."""
    rows = list(_in_force().values())
    lines = [(row["agent"], row["adopted_at"] or "default", _brief(row)) for row in rows]
    show.answer({"policies": rows}, show.table(("agent", "adopted at", "policy"), lines))


@app.command("show")
def show_policy(agent: str = typer.Argument(metavar="AGENT", help="Whose policy.")) -> None:
    """Show the policy in force of one agent."""
    show.answer(named("policy of an agent", agent, _in_force()))


@app.command()
def apply(
    paths: Annotated[list[str], typer.Argument(metavar="FILE", help="YAML, or folders of it.")],
) -> None:
    """Adopt the policies of these files, as far as they are not in force already."""
    from infra.cli import applying  # YAML: 25 ms that the other commands need not pay

    def read(file: Path) -> applying.Written:
        policy = written(file)
        value = policy.model_dump(mode="json")
        return applying.Written(policy.agent, value, admitted("PolicyAdopted", {"policy": value}))

    applying.apply(paths, "agent", ADOPTED, "policy", read)


def written(file: Path) -> Policy:
    """The policy in a file, or what is wrong with which of its fields."""
    from infra.cli.files import at, content

    data = content(file)
    name = data.get("agent")
    kind = POLICIES.get(name) if isinstance(name, str) else None
    if kind is None:
        hint = near(name, POLICIES) if isinstance(name, str) else None
        right = f"did you mean {hint!r}?" if hint else f"agent: one of {', '.join(POLICIES)}"
        what = f"no agent {name!r} has a policy" if "agent" in data else "'agent' is missing"
        raise Malformed(what, where=f"{file}, agent", right=right)
    try:
        return kind.model_validate_json(json.dumps(data))
    except ValidationError as error:
        raise at(file, malformed(kind, error)) from None


def _in_force() -> dict[str, Any]:
    """What was adopted, and the default of everyone else."""
    defaults = {
        name: {"agent": name, "adopted_at": None, "event_id": None, "policy": kind().model_dump()}
        for name, kind in POLICIES.items()
    }
    return defaults | state(ADOPTED)


def _brief(row: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in row["policy"].items() if key != "agent")
