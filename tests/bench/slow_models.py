"""A teacher and a verifier that know everything and take 300 ms for it, in a process of their own.

`python -m tests.bench.slow_models` says its address on the first line, and ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.agents.data_generator.collaboration.models import APPROVES, RIGHT, Models
from tests.bench.results import ROOT
from tests.guardrails.server import Asked, Said, Server

SECONDS = 0.3


@contextmanager
def slow_models() -> Iterator[str]:
    """Their address, while they run."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.slow_models"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout as said:
        yield json.loads(said.readline())
    process.wait()


async def main() -> None:
    models = Models(RIGHT, APPROVES)

    def late(asked: Asked) -> Said:
        said = models(asked)
        said.delay = SECONDS
        return said

    async with Server(late) as server:
        print(json.dumps(f"http://127.0.0.1:{server.port}/v1"), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
