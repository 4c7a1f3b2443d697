"""How a job is started on this machine: forked by the preloaded host, or as a fresh process.

Either way the lock of its folder is taken here and handed down, so there is no moment between
deciding and running in which another could start it too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from trainers import lock
from trainers.checkpoints import last_step
from trainers.folder import lines_of
from trainers.hosting import Host


class Starter:
    """Starts jobs, and buries those of its children that have ended."""

    def __init__(self, host: Host | None, deserted: float) -> None:
        self._host = host
        self._deserted = deserted
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, folder: Path, gpus: tuple[int, ...]) -> None:
        """Start it, unless somebody else has meanwhile, or the host is still loading.

        Whatever was started before is started again in a fresh process: if it was the host that
        it died of, it will not die of that again. What wants an accelerator is never forked.
        """
        hosted = False
        if self._host is not None and not gpus and not starts(folder):
            health = self._host.health()
            if health == "loading":  # a fresh process would have to load the same
                return
            hosted = health == "ready"
        handle = lock.take(folder)
        if handle is None:
            return
        log = os.open(folder / "log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            (folder / "owner").touch()
            line = {"from": last_step(folder), "gpus": gpus, "hosted": hosted}
            with (folder / "starts.jsonl").open("ab") as told:
                told.write(json.dumps(line).encode() + b"\n")
            if hosted and self._host is not None:
                self._host.fork(folder / "spec.json", handle, log, self._deserted)
            else:
                self._children.append(self._fresh(folder, handle, log, gpus))
        finally:
            os.close(handle)
            os.close(log)

    def bury(self) -> None:
        """Let go of children that have ended."""
        self._children = [one for one in self._children if one.poll() is None]

    def close(self) -> None:
        """Let go of all; what runs goes on."""
        self.bury()
        for child in self._children:
            child.returncode = 0  # else Popen complains that it lives
        self._children = []
        if self._host is not None:
            self._host.close()

    def _fresh(
        self, folder: Path, handle: int, log: int, gpus: tuple[int, ...]
    ) -> subprocess.Popen[bytes]:
        seen = ",".join(map(str, gpus))
        return subprocess.Popen(
            [
                *("env", f"CUDA_VISIBLE_DEVICES={seen}", "PYTHONHASHSEED=0", sys.executable),
                *("-m", "trainers.job", str(folder / "spec.json")),
                *("--lock", str(handle), "--deserted", str(self._deserted)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[handle],
            start_new_session=True,
        )


def starts(folder: Path) -> list[dict[str, Any]]:
    """All starts of a job: the step that each went on from, and its accelerators."""
    return [one for one in lines_of(folder / "starts.jsonl") if {"from", "gpus"} <= one.keys()]
