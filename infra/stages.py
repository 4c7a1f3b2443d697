"""What carries out stages here: an executor on this machine, and a preloaded host of jobs."""

from __future__ import annotations

from agents.trainer.workers.stages import stages
from events.artifacts import Artifacts
from infra.home import Home
from trainers.hosting import Host
from trainers.local import LocalExecutor

PRELOADED = (
    "torch",
    "transformers:AutoModelForCausalLM",
    "transformers:AutoTokenizer",
    "transformers:LlamaForCausalLM",
    "peft",
    *(f"trainers.{name}" for name in ("begin", "sft", "reward", "dpo", "ppo", "srl", "rlvr")),
    "trainers.measure",
)
"""What the jobs of stages import: our own loops. TRL takes a fifth of the time of all the rest, and
a job that goes through it loads it by itself."""


class Stages:
    """All of it, for as long as the house stands."""

    def __init__(self, home: Home, threads: int) -> None:
        work = home.folder / "work"
        self.artifacts, self.models = Artifacts(home.artifacts), work / "models"
        host = Host(PRELOADED)
        host.health()  # it begins to load now, while nobody waits for it yet
        self.executor = LocalExecutor(
            work / "training", self.artifacts.chunks, threads=threads, host=host
        )
        self.worker = stages(self.executor, self.artifacts, self.models)

    def close(self) -> None:
        """Let go; jobs that run go on."""
        self.executor.close()
