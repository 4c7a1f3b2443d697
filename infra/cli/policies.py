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
from pipelines.catalog import PIPELINES

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
    if "bounds" in kind.model_fields:
        for name in sorted(_metrics() & data.keys()):
            what = f"{name!r} is a figure that gates judge"
            right = f"bounds: {{{name}: {json.dumps(data[name])}}}"
            raise Malformed(what, where=f"{file}, {name}", right=right)
    try:
        policy = kind.model_validate_json(json.dumps(data))
    except ValidationError as error:
        raise at(file, malformed(kind, error)) from None
    for key in getattr(policy, "bounds", ()):
        _judged(file, key)
    return policy


def _judged(file: Path, key: str) -> None:
    """Whether a bound's name is that of a figure which gates judge, or is of nobody's knowing: a
    role may ask for figures of its own. What is only misspelt would hold nothing back."""
    metric, _, side = key.partition(" ")
    judged = _metrics()
    where = f"{file}, bounds"
    if side not in ("", "at_least", "at_most"):
        right = f"{metric}, {metric} at_least, or {metric} at_most"
        raise Malformed(f"{key[:60]!r} names no side of a gate", where=where, right=right)
    hint = None if metric in judged else near(metric, judged)
    if hint:
        raise Malformed(
            f"no gate judges {metric[:60]!r}", where=where, right=f"did you mean {hint!r}?"
        )


def _metrics() -> set[str]:
    """All that a gate looks at."""
    stages = [stage for one in PIPELINES.values() for stage in one.walk]
    return {check.metric for stage in stages for check in stage.gate}


def _in_force() -> dict[str, Any]:
    """What was adopted, and the default of everyone else."""
    defaults = {
        name: {"agent": name, "adopted_at": None, "event_id": None, "policy": kind().model_dump()}
        for name, kind in POLICIES.items()
    }
    return defaults | state(ADOPTED)


def _brief(row: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in row["policy"].items() if key != "agent")
