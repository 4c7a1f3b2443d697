"""The tree as the rules of the house read it: parsed, never imported.

Whatever is absent is simply not there; a file that does not parse stops the reading, because a
rule that cannot see a file cannot vouch for it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDERS = ("agents", "events", "guardrails", "infra", "memory", "pipelines", "trainers")


class Source(NamedTuple):
    """One Python file; `path` is relative to the root, with forward slashes."""

    path: str
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, path: str, text: str) -> "Source":
        return cls(path, text, ast.parse(text, filename=path))

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self.path).parts


class Import(NamedTuple):
    """One name that one file imports; `name` is '' where a whole module is imported."""

    line: int
    module: str
    name: str
    level: int
    """Dots in front: 0 is absolute."""
    function: str
    """The function in whose body it stands, or ''."""
    typing_only: bool
    """It stands under `if TYPE_CHECKING`, so no program ever runs it."""


def sources(root: Path, folders: tuple[str, ...]) -> Iterator[Source]:
    """Every Python file below these folders, in a stable order."""
    for folder in folders:
        for file in sorted((root / folder).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            yield Source.of(file.relative_to(root).as_posix(), text)


def imports(tree: ast.AST, function: str = "", typing_only: bool = False) -> Iterator[Import]:
    """All imports of a file, wherever they stand."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(node.lineno, alias.name, "", 0, function, typing_only)
            case ast.ImportFrom(module=module, names=names, level=level):
                for alias in names:
                    name = module or ""
                    yield Import(node.lineno, name, alias.name, level, function, typing_only)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield from imports(node, name, typing_only)
            case ast.If(test=test, body=body, orelse=orelse) if _asks_for_typing(test):
                yield from imports(ast.Module(body, []), function, True)
                yield from imports(ast.Module(orelse, []), function, typing_only)
            case _:
                yield from imports(node, function, typing_only)


def _asks_for_typing(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
