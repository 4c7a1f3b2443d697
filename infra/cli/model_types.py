"""`ratchet types`: what a model can be trained for, and how a type of one's own begins.

A type is named as it is named everywhere: one of ours, a path, or an entry point.
"""

from __future__ import annotations

import keyword
import re
import sys
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import typer

from events.errors import Malformed, ReadOnly
from infra.cli import show
from trainers.model_types.finding import TYPES, blamed, installed, model_type, origin

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

TEMPLATES = Path(__file__).parent / "templates" / "type"
FILES = {"example.py": "{name}.py", "checks.py": "test_{name}.py"}
"""The templates, and what is made of each."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@app.callback()
def types() -> None:
    """What a model can be trained for; write a type of your own."""


@app.command("list")
def list_types() -> None:
    """List the types that have a name: ours, and those of installed packages."""
    rows = [{"type": name, "where": module, "what": _first_line(name)} for name, module in _named()]
    table = show.table(
        ("type", "what", "where"), [(r["type"], r["what"], r["where"]) for r in rows]
    )
    show.answer({"types": rows}, table)


@app.command("show")
def show_type(
    name: str = typer.Argument(metavar="NAME", help="A name, or path/to/file.py[:NAME]."),
) -> None:
    """Show a type: its schema, rewards and metrics, and a problem with its solution."""
    found = model_type(name)
    show.answer(blamed(origin(found), "showing an example of this type", lambda: _shown(found)))


@app.command()
def new(
    name: str = typer.Argument(metavar="NAME", help="As in sentiment_analysis."),
    to: str = typer.Option(".", metavar="DIR", help="Where the two files are to lie."),
) -> None:
    """Write a type that works, with its tests, as the beginning of your own."""
    if NAME.fullmatch(name) is None or keyword.iskeyword(name) or name in TYPES:
        taken = "is one of ours" if name in TYPES else "is no name of a module"
        raise Malformed(f"{name[:60]!r} {taken}", where="NAME", right="a name such as my_type")
    folder = Path(to).expanduser()
    files = {folder / made.format(name=name): text for made, text in _texts(name).items()}
    there = [str(file) for file in files if file.exists()]
    if there:
        right = "another NAME, or another folder with --to"
        raise Malformed("there is such a file already", where=there[0], right=right)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            with file.open("x", encoding="utf-8") as opened:
                opened.write(text)
    except OSError as error:
        what = f"this folder cannot be written ({error.strerror})"
        raise ReadOnly(what, where=str(folder), right="--to a folder of your own") from None
    made, checks = files
    lines = [f"wrote {file}" for file in files]
    lines.append(f"next: `python -m pytest {checks}`; then name it as model_type: {made}")
    show.answer({"written": [str(file) for file in files]}, "\n".join(lines))


def _named() -> list[tuple[str, str]]:
    return [*TYPES.items(), *((point.name, point.value) for point in installed())]


def _first_line(name: str) -> str:
    """What ours are for; somebody else's code does not run only to be listed."""
    if name not in TYPES:
        return ""
    return (import_module(TYPES[name]).__doc__ or "").partition("\n")[0]


def _shown(found: Any) -> dict[str, Any]:
    one = next(islice(found.problems(0), 1))
    solved = found.solve(one)
    text = found.completion(solved)
    tokens = found.vocabulary()
    many = len(tokens) + len(getattr(found, "pieces", ()))
    return {
        "type": found.name,
        "where": str(origin(found)),
        "what": (sys.modules[type(found).__module__].__doc__ or "").partition("\n")[0],
        "schema": found.schema.model_json_schema(),
        "rewards": list(found.rewards),
        "metrics": list(found.metrics([one], [text])),
        "tokens": {"kind": "characters" if isinstance(tokens, str) else "words", "n": many},
        "example": {
            "prompt": one.prompt,
            "answer": one.answer,
            "steps": [step._asdict() for step in solved.steps],
            "completion": text,
        },
    }


def _texts(name: str) -> dict[str, str]:
    """The templates with the name put in for theirs."""
    title = "".join(part.capitalize() for part in name.split("_")) or "Own"
    made = {}
    for template, file in FILES.items():
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        text = re.sub(r"\bexample\b", name, text)
        made[file] = re.sub(r"\bExample\b", title, text).replace("test_example", f"test_{name}")
    return made
