"""What import-linter cannot say about the house: rules over single files, and over folders.

A rule takes a file and yields findings. Each finding is a sentence with the place, what is wrong
there, and what would be right. Which folder may import which is not here: see pyproject.toml.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.house.source import FOLDERS, Source, imports

CEILING = 300

SPLIT_BY_KIND = {"utils", "util", "helpers", "helper", "types", "common", "misc"}

MAY_IMPORT_LATE: dict[str, str] = {
    "infra/cli/": "ratchet --help answers within 300 ms, so a command loads what it needs itself",
    "infra/assemble.py": "FastAPI takes 300 ms, and of all who assemble only `up` opens a door",
    "infra/training.py": "the trainers' stages load the data's measures, and few homes train",
    "infra/makers.py": "LangGraph and a model client take seconds, and only who makes data has use",
    "events/sql/connect.py": "migrations load Alembic, and only an old schema needs them",
    "events/sql/postgres/link.py": "migrations load Alembic, and only an old schema needs them",
    "events/nats/link.py": "FastStream takes 300 ms, and the log is told without it",
    "infra/home.py": "the driver of Postgres takes 60 ms, and most homes have a file",
    "trainers/job.py": "a trainer loads torch and TRL, 5 s; what is wrong is told before, in one",
    "infra/fitness.py": "detectors know the phones of the world, 100 ms; few events need them",
    "infra/knowledge.py": "the client of Qdrant takes half a second, and most homes need none",
    "infra/embedders.py": "the client of models takes a second, and most homes need none",
    "infra/nearness.py": "numpy takes 100 ms, and only who looks for leaks by meaning has use",
    "infra/settings.py": "YAML takes 25 ms, and most homes have no ratchet.yaml",
}
"""Where an import may stand inside a function, and why."""

MAY_SEE_THE_ENVIRONMENT: dict[str, str] = {
    "infra/settings.py": "the one Settings class",
    "infra/cli/main.py": "it reads nothing there, and tells pydantic not to look for plugins",
}
"""Who may touch the environment, and why."""

EVENT_BASES = {"Event", "Request", "Outcome"}


class Finding(NamedTuple):
    """One place where the house is not kept."""

    path: str
    line: int
    wrong: str
    right: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.wrong}. Right would be: {self.right}."


Rule = Callable[[Source], Iterator[Finding]]


def a_module_says_what_it_is(source: Source) -> Iterator[Finding]:
    if ast.get_docstring(source.tree) is None:
        yield Finding(
            source.path, 1, "the module has no docstring", "one that names its single subject"
        )


def a_file_ends_before_the_ceiling(source: Source) -> Iterator[Finding]:
    length = len(source.text.splitlines())
    if length > CEILING:
        yield Finding(
            source.path,
            CEILING + 1,
            f"the file has {length} lines, the ceiling is {CEILING}",
            "two files, split where a second subject begins",
        )


def a_name_is_a_subject(source: Source) -> Iterator[Finding]:
    if source.parts[0] not in FOLDERS:
        return
    for part in source.parts:
        if part.removesuffix(".py") in SPLIT_BY_KIND:
            yield Finding(
                source.path,
                1,
                f"{part!r} names a kind of code, not a subject",
                "each function beside the subject that it serves",
            )


def imports_are_plain(source: Source) -> Iterator[Finding]:
    late_is_fine = source.parts[0] not in FOLDERS or any(
        source.path.startswith(place) for place in MAY_IMPORT_LATE
    )
    for found in imports(source.tree):
        if found.level:
            yield Finding(
                source.path,
                found.line,
                "a relative import",
                "the whole name, as in 'from events.message import Event'",
            )
        if found.name == "*":
            yield Finding(
                source.path,
                found.line,
                f"everything is imported from {found.module}",
                "the names that are used",
            )
        if found.function and not late_is_fine:
            yield Finding(
                source.path,
                found.line,
                f"{found.function}() imports {found.module} when it is called",
                "the import at the top of the file; where a cycle forbids it, the two modules"
                " share a subject that wants a file of its own (true exceptions go into"
                " MAY_IMPORT_LATE with their reason)",
            )


def settings_alone_read_the_environment(source: Source) -> Iterator[Finding]:
    if source.parts[0] not in FOLDERS or source.path in MAY_SEE_THE_ENVIRONMENT:
        return
    right = "a field of the settings in infra/settings.py, handed down as an argument"
    for found in imports(source.tree):
        if found.module.split(".")[0] == "pydantic_settings":
            yield Finding(source.path, found.line, "pydantic_settings is imported", right)
        if found.module == "os" and found.name in {"environ", "environb", "getenv"}:
            yield Finding(source.path, found.line, f"os.{found.name} is imported", right)
    for node in ast.walk(source.tree):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "environb" | "getenv"):
                yield Finding(source.path, node.lineno, f"os.{node.attr} is read", right)


def infra_says_no_events(source: Source) -> Iterator[Finding]:
    if source.parts[0] != "infra":
        return
    catalogued = {
        found.name for found in imports(source.tree) if found.module.startswith("events.catalog")
    }
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        named = any(keyword.arg == "wire" for keyword in node.keywords)
        if named or bases & (EVENT_BASES | catalogued):
            yield Finding(
                source.path,
                node.lineno,
                f"{node.name} is an event, defined in infra",
                "the class in events/catalog, published by whoever decides it",
            )


RULES: tuple[Rule, ...] = (
    a_module_says_what_it_is,
    a_file_ends_before_the_ceiling,
    a_name_is_a_subject,
    imports_are_plain,
    settings_alone_read_the_environment,
    infra_says_no_events,
)


def agent_folders(root: Path) -> list[Path]:
    """The folders of the agents, in alphabetical order."""
    return sorted({file.parent for file in (root / "agents").glob("[!_.]*/*.py")})


def an_agent_has_its_parts(root: Path) -> Iterator[Finding]:
    """State, decisions, and a package around them."""
    for folder in agent_folders(root):
        for part in ("__init__.py", "state.py", "decide.py"):
            if not (folder / part).exists():
                yield Finding(
                    f"{folder.relative_to(root).as_posix()}/{part}",
                    1,
                    f"the agent {folder.name!r} has no {part}",
                    "__init__.py, state.py, decide.py and, where it works, workers/",
                )


def every_folder_is_a_package(root: Path) -> Iterator[Finding]:
    """Without `__init__.py` neither import-linter nor the wheel would see the modules."""
    for name in FOLDERS:
        for folder in sorted({file.parent for file in (root / name).rglob("*.py")}):
            if not (folder / "__init__.py").exists():
                yield Finding(
                    f"{folder.relative_to(root).as_posix()}/__init__.py",
                    1,
                    "a folder with modules, but no package: linters and the wheel skip it",
                    "an __init__.py with one sentence about the folder",
                )


TREE_RULES: tuple[Callable[[Path], Iterator[Finding]], ...] = (
    an_agent_has_its_parts,
    every_folder_is_a_package,
)
