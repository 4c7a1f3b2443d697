"""What carries out stages here: an executor on this machine, and a preloaded host of jobs."""

from __future__ import annotations

from agents.trainer.workers.stages import stages
from events.artifacts import Artifacts
from infra.home import Home
from trainers.hosting import Host
from trainers.local import LocalExecutor


class Stages:
    """All of it, for as long as the house stands."""

    def __init__(self, home: Home, threads: int) -> None:
        work = home.folder / "work"
        artifacts = Artifacts(home.artifacts)
        self._executor = LocalExecutor(
            work / "training", artifacts.chunks, threads=threads, host=Host()
        )
        self.worker = stages(self._executor, artifacts, work / "models")

    def close(self) -> None:
        """Let go; jobs that run go on."""
        self._executor.close()
