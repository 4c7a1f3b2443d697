"""Programs run beside the test, to be killed, bounded, or left without rights."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]

NOBODY = 65534

BEGIN = f"""
import asyncio, os, resource, signal, sys
from pathlib import Path
from events.chain import Signer
from events.errors import LogUnavailable, NoRoom, ReadOnly
from events.sql.sqlite import SqliteStore
from events.store import append
from tests.events.messages import Noted

Signer.fresh().sign(0, "", "")

def without_rights() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid({NOBODY})
        os.setuid({NOBODY})
"""
"""What each of them imports, before it gives up the right to read it."""


def child(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `script` to its end. Python's own complaints are part of what it prints."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", BEGIN + script, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
    )


def killed_after(seconds: float, script: str, *arguments: object) -> list[str]:
    """Run `script`, kill it so long after its first line, and give the whole lines it said."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", BEGIN + script, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        return [
            line for line in (first + process.stdout.read()).splitlines(True) if line[-1] == "\n"
        ]
