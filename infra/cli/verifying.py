"""`ratchet models verify`: a model that was registered answers its suites again, now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from events.errors import Malformed, NotFound
from events.ingress import OPERATOR, admitted
from infra.cli import show, waiting
from infra.cli.states import state

LARGEST = 1 << 26
"""Bytes of a file of examples."""


def verify(
    model: str = typer.Argument(
        "", metavar="[MODEL]", help="As in `models show`; left out, the one that stands for ROLE."
    ),
    role: str = typer.Option("", help="The role whose model is verified."),
    suite: Annotated[
        list[str] | None,
        typer.Option(help="fixed, fresh, examples or task.NAME; left out, the policy's."),
    ] = None,
    examples: str = typer.Option(
        "", metavar="FILE", help="Examples of experts, as JSON lines, to be checked."
    ),
    wait: float = typer.Option(0, metavar="[SECONDS]", help=waiting.HELP, show_default=False),
) -> None:
    """Measure a registered model again, beside the one before it."""
    if not model and not role:
        right = "ratchet models verify --role ROLE, or a model"
        raise Malformed("nothing is named that could be verified", where="MODEL", right=right)
    said: dict[str, object] = {"role": role}
    if model:
        said |= _named(model, role)
    suites = tuple(suite or ())
    if examples:
        said["examples"] = _kept(examples)
        suites = suites if "examples" in suites else (*suites, "examples")
    if suites:
        said["suites"] = list(suites)
    waiting.say(admitted("VerificationRequested", said, None, OPERATOR), wait)


def _named(model: str, role: str) -> dict[str, object]:
    from pipelines.lineage import meant
    from pipelines.models import MODELS

    row = meant(state(MODELS), model)
    if not row.get("run"):
        what = f"{row['model']} was brought along, and no run registered it"
        raise Malformed(what, where="MODEL", right="a candidate of a role")
    if role and row["role"] != role:
        what = f"{row['model']} is of role {row['role']!r}"
        raise Malformed(what, where="--role", right=f"--role {row['role']}, or leave it out")
    return {"role": row["role"], "run": row["run"]}


def _kept(name: str) -> dict[str, object]:
    """The file as an artifact of this home, unchanged: what is wrong in it is for the check."""
    from events.artifacts import Artifacts

    file = Path(name).expanduser()
    if not file.is_file():
        raise NotFound("there is no such file", where=name, right="JSON lines with examples")
    if file.stat().st_size > LARGEST:
        raise Malformed("the file is too large", where=name, right=f"at most {LARGEST:,} bytes")
    ref = Artifacts(show.home().artifacts).put_file(file)
    return {"kind": "examples", "sha256": ref.sha256, "size": ref.size}
