"""`ratchet init`: files to begin with, in the working folder. None that is there is touched."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from pydantic import BaseModel

from events.documented import sentences
from events.errors import ReadOnly
from infra.cli import show
from infra.settings import PREFIX, Settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)

TEMPLATES = Path(__file__).with_name("templates")


@app.command()
def init() -> None:
    """Write a commented ratchet.yaml and roles/ into this folder; what is there stays."""
    here = Path.cwd()
    written, kept = [], []
    try:
        for name, text in _files().items():
            file = here / name
            file.parent.mkdir(exist_ok=True)
            try:
                with file.open("x", encoding="utf-8") as opened:
                    opened.write(text)
            except FileExistsError:
                kept.append(name)
            else:
                written.append(name)
    except OSError as error:
        raise ReadOnly(
            f"this folder cannot be written ({error.strerror})",
            where=str(here),
            right="go to a folder that this user may write",
        ) from None
    lines = [f"wrote {name}" for name in written]
    lines += [f"kept {name}, it is there already" for name in kept]
    if written:
        lines.append("next: `ratchet roles apply roles/`, then `ratchet up`")
    show.answer({"written": written, "kept": kept}, "\n".join(lines))


def _files() -> dict[str, str]:
    roles = sorted((TEMPLATES / "roles").glob("*.yaml"))
    files = {"ratchet.yaml": settings_file()}
    return files | {f"roles/{file.name}": file.read_text(encoding="utf-8") for file in roles}


def settings_file() -> str:
    """Every setting with its default, commented out: so what is set is visibly set by hand."""
    lines = [
        "# Settings of Ratchet, read from the folder in which a command is run. What is commented",
        "# out has its default; `ratchet config show` tells where each value in force comes from.",
        f"# The environment goes before this file: {PREFIX}API__PORT=0 sets api.port.",
    ]
    for name, field in Settings.model_fields.items():
        section = field.annotation
        assert isinstance(section, type)
        assert issubclass(section, BaseModel)
        lines += ["", f"# {' '.join((section.__doc__ or '').split())}", f"{name}:"]
        told = sentences(section)
        for key, default in section().model_dump(mode="json").items():
            lines += [f"  # {line}" for line in told.get(key, "").splitlines()]
            lines.append(f"  # {key}: {json.dumps(default)}")
    return "\n".join(lines) + "\n"
