"""The stage of `srf` that is its own: PPO under the reward model, which further rounds share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agents.trainer.run import POLICY
from agents.trainer.workers.jobs import Ended
from agents.trainer.workers.measuring import beside, keep_items
from agents.trainer.workers.rewarding import REWARD, TRAIN
from agents.trainer.workers.work import Made, Work
from events.catalog.jobs import Limits

NEAR = Limits(kl=0.05)
"""Where PPO is stopped: the last steps add up to half of it, and the gate lies at 0.1."""
CAREFUL: dict[str, Any] = {"batch": 64, "samples": 2, "minibatches": 2, "learning_rate": 5e-5}
"""Small steps over many samples: with a small model one large step goes beyond the gate."""


async def optimise(work: Work) -> Made:
    """PPO from the imitation, under the reward."""
    prompts = (str(one["prompt"]) for one in await work.rows(TRAIN))
    reward = await work.model(REWARD)
    return await compared(
        work, await earned(work, await work.model("sft"), prompts, reward), reward
    )


async def earned(work: Work, before: Path, prompts: Iterable[str], reward: Path) -> Ended:
    """A policy that has learned what earns the reward, held near the SFT."""
    rows = await work.keep_rows(({"prompt": one} for one in dict.fromkeys(prompts)), "prompts")
    more = CAREFUL if work.profile == "tiny" else {}
    return await work.train(
        "ppo", before, {"train": rows}, NEAR, await work.model("sft"), "", reward="reward_model",
        reward_model=str(reward), **more,
    )  # fmt: skip


async def compared(work: Work, trained: Ended, reward: Path) -> Made:
    """The new policy beside the one it began as, by the reward model and by the verifier."""
    sft = await work.model("sft")
    both = await beside(work, trained.model, sft, sft, reward_model=str(reward))
    return Made(
        both.figures,
        (
            await work.keep(trained.model, POLICY),
            await keep_items(work, both.problems, both.after),
            await work.keep_file(trained, f"curve.{work.request.stage}"),
        ),
    )
