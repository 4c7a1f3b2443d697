"""An agent that decides differently is another version of that agent, and must say so.

An audit derives every decision again and calls it a difference when the same version decides
otherwise. So this compares the code behind each agent's decisions (its decide.py and state.py, and
what of ours they import, to the last) with the fingerprint kept in agent_versions.lock. Comments,
docstrings and layout do not count. Not seen: libraries, data files, and imports inside functions.

    python -m tests.house.agent_versions                        compare; exit 1 if they disagree
    python -m tests.house.agent_versions --write                keep today's fingerprints
    python -m tests.house.agent_versions --write --unreleased   even under the same version
"""

import argparse
import ast
import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from tests.house.anatomy import agent_folders
from tests.house.source import FOLDERS, ROOT, imports

LOCK = Path("tests/house/agent_versions.lock")
REFRESH = "python -m tests.house.agent_versions --write"


class Fingerprint(NamedTuple):
    """What an agent calls itself, and what it is."""

    version: str
    sha256: str


def code_behind(root: Path, agent: str) -> list[str]:
    """The files that an agent's decisions depend on, as paths relative to the root."""
    waiting = [f"agents.{agent}.decide", f"agents.{agent}.state"]
    reached: dict[str, str] = {}
    while waiting:
        module = waiting.pop()
        path = _file_of(root, module)
        if path is None or module in reached:
            continue
        reached[module] = path
        for found in imports(_parsed(root, path)):
            if not (found.function or found.typing_only or found.level):
                waiting += [found.module, f"{found.module}.{found.name}"]
    return sorted(reached.values())


def fingerprint(root: Path, agent: str) -> Fingerprint:
    """Of the agent as it stands in the tree; its version is '' where it states none."""
    spelled = sha256()
    for path in code_behind(root, agent):
        spelled.update(f"{path}\n{_spell(_parsed(root, path))}\n".encode())
    return Fingerprint(_stated_version(root, agent), spelled.hexdigest())


def fingerprints(root: Path) -> dict[str, Fingerprint]:
    """Of every agent that can decide, by name."""
    names = [f.name for f in agent_folders(root) if (f / "decide.py").exists()]
    return {name: fingerprint(root, name) for name in names}


def kept(root: Path) -> dict[str, Fingerprint]:
    """The fingerprints in the lock file; none where there is no file."""
    file = root / LOCK
    if not file.exists():
        return {}
    return {name: Fingerprint(**entry) for name, entry in json.loads(file.read_text()).items()}


def complaints(root: Path) -> list[str]:
    """What keeps tree and lock from agreeing, one sentence each."""
    now, before = fingerprints(root), kept(root)
    return [
        *_unversioned(now),
        *_silently_changed(root, now, before),
        *(
            f"{LOCK}: it knows {_known(before.get(name))} of {name}, agents/{name}/decide.py says"
            f" {seen.version!r}. Right would be: {REFRESH}."
            for name, seen in now.items()
            if seen.version and (name not in before or seen.version != before[name].version)
        ),
        *(
            f"{LOCK}: it names {name}, but agents/{name}/decide.py is gone."
            f" Right would be: {REFRESH}."
            for name in before.keys() - now.keys()
        ),
    ]


def write(root: Path, *, unreleased: bool = False) -> list[str]:
    """Keep today's fingerprints, or say why not and keep nothing."""
    now = fingerprints(root)
    wrong = _unversioned(now)
    if not unreleased:
        wrong += _silently_changed(root, now, kept(root))
    if not wrong:
        entries = {name: seen._asdict() for name, seen in sorted(now.items())}
        (root / LOCK).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    return wrong


def _known(before: Fingerprint | None) -> str:
    return f"version {before.version!r}" if before else "no version"


def _unversioned(now: dict[str, Fingerprint]) -> list[str]:
    return [
        f"agents/{name}/decide.py: the agent states no version."
        ' Right would be: a line VERSION = "1" at the top level.'
        for name, seen in now.items()
        if not seen.version
    ]


def _silently_changed(
    root: Path, now: dict[str, Fingerprint], before: dict[str, Fingerprint]
) -> list[str]:
    return [
        f"agents/{name}/decide.py: the code behind {name}'s decisions has changed, its VERSION is"
        f" still {seen.version!r}. Right would be: the next VERSION, then {REFRESH}; with"
        " --unreleased where no history of this version is out yet. What counts: "
        + ", ".join(code_behind(root, name))
        for name, seen in now.items()
        if name in before and seen.version == before[name].version and seen != before[name]
    ]


def _file_of(root: Path, module: str) -> str | None:
    if module.split(".")[0] not in FOLDERS:
        return None
    stem = module.replace(".", "/")
    for path in (f"{stem}.py", f"{stem}/__init__.py"):
        if (root / path).is_file():
            return path
    return None


def _parsed(root: Path, path: str) -> ast.Module:
    return ast.parse((root / path).read_text(encoding="utf-8"), filename=path)


def _stated_version(root: Path, agent: str) -> str:
    for node in _parsed(root, f"agents/{agent}/decide.py").body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id="VERSION")], value=ast.Constant(value=str(version))
            ):
                return version
    return ""


def _spell(node: object) -> str:
    """The tree in one line. `ast.dump` spells the same code differently in each Python."""
    match node:
        case ast.AST():
            parts = [
                f"{name}={_spell(value)}"
                for name, value in ast.iter_fields(node)
                if value not in (None, []) and name != "kind"
            ]
            return f"{type(node).__name__}({','.join(parts)})"
        case list():
            return f"[{','.join(_spell(item) for item in node if not _is_documentation(item))}]"
        case _:
            return repr(node)


def _is_documentation(node: object) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case _:
            return False


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.house.agent_versions")
    parser.add_argument("--write", action="store_true", help="keep today's fingerprints")
    parser.add_argument("--unreleased", action="store_true", help="versions may stay as they are")
    chosen = parser.parse_args(arguments)
    if chosen.unreleased and not chosen.write:
        parser.error("--unreleased goes with --write")
    wrong = write(root, unreleased=chosen.unreleased) if chosen.write else complaints(root)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
