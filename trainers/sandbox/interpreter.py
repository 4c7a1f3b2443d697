"""What a Python needs of this machine in order to run: its own files, and the C libraries of them.

Asked of the interpreter itself, so that it is right for a system's Python, pyenv, conda or Nix.
Nothing else of the machine is to be seen from inside.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ASKED = """
import importlib, json, os, sys, sysconfig
for name in ("bz2", "ctypes", "decimal", "hashlib", "lzma", "sqlite3", "ssl", "uuid", "zlib"):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
with open("/proc/self/maps") as maps:
    mapped = {line.split(None, 5)[5].strip() for line in maps if line.count("/")}
print(json.dumps({
    "python": sys.executable,
    "library": sorted({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}),
    "mapped": sorted(one for one in mapped if one.startswith("/")),
}))
"""
"""Loads what has C libraries of its own, and tells from where they all came."""

LINKS = ("/lib", "/lib32", "/lib64", "/usr/lib64")
"""By these a loader finds libraries; mostly they are links into /usr."""
LOADER_CACHE = "/etc/ld.so.cache"


class Interpreter(NamedTuple):
    """A Python, and what must be readable for it to run."""

    python: str
    paths: tuple[str, ...]
    """Files and folders, none of which lies in another."""
    links: tuple[tuple[str, str], ...]
    """Symbolic links that lead to them, and where they lead."""


def this_interpreter() -> Interpreter:
    """The one that runs here, without its virtual environment."""
    python = os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)
    said = subprocess.run(
        [python, "-I", "-S", "-c", ASKED], env={}, check=True, capture_output=True, timeout=60
    )
    told = json.loads(said.stdout)
    folders = {os.path.realpath(one) for one in told["library"]}
    for mapped in told["mapped"]:
        if mapped == python or not os.path.exists(mapped):
            continue
        if not any(Path(mapped).is_relative_to(one) for one in folders):
            folders.add(os.path.dirname(mapped))
    links = [(one, os.readlink(one)) for one in LINKS if os.path.islink(one)]
    folders |= {one for one in LINKS if one.endswith("64") and _is_folder(one)}
    if os.path.exists(LOADER_CACHE):
        folders.add(LOADER_CACHE)
    return Interpreter(python, _outermost({python, *folders}), tuple(links))


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and os.path.realpath(path) == path


def _outermost(paths: set[str]) -> tuple[str, ...]:
    """Without those that lie in another."""
    return tuple(
        one
        for one in sorted(paths)
        if not any(other != one and Path(one).is_relative_to(other) for other in paths)
    )
