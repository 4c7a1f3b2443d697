"""What a hostile program is: its text, and how it may end. The lists are beside this file.

Each is given paths and addresses of this machine on its stdin, and says ESCAPED when it has got
at what it wanted. Those that do no harm when nothing holds them are also run so, since a program
that cannot bite proves nothing.
"""

from __future__ import annotations

from typing import NamedTuple

PRELUDE = """
import ctypes, json, os, sys
given = json.loads(sys.stdin.read() or "{}")
libc = ctypes.CDLL(None, use_errno=True)

def escaped(what):
    print("ESCAPED", what, flush=True)

def attempt(what, deed, *arguments):
    try:
        found = deed(*arguments)
    except Exception:
        return
    if found is not False:
        escaped(f"{what} {found!r:.50}")

def call(name, *arguments):
    found = libc.syscall(given["calls"][name], *arguments)
    return found if found >= 0 else False

def read(path):
    with open(path, "rb") as file:
        return file.read(20)
"""


class Hostile(NamedTuple):
    """One attempt."""

    name: str
    text: str
    ends: frozenset[str] = frozenset({"finished"})
    bites: bool = False
    """Whether it escapes where nothing holds it, without harm."""
    prelude: bool = True
    comes_through: bool = False
    """Whether it says "done" at its end, having tried all that it could."""

    @property
    def program(self) -> str:
        return PRELUDE + self.text if self.prelude else self.text


def reaching(name: str, text: str, *, bites: bool = False) -> Hostile:
    """Goes for what is outside; it comes to its end without having got anything."""
    return Hostile(name, text + '\nprint("done")\n', bites=bites, comes_through=True)


def ending(name: str, ends: str, text: str, *, prelude: bool = False) -> Hostile:
    """Goes for the machine's time and room."""
    return Hostile(name, text, frozenset(ends.split()), prelude=prelude)
