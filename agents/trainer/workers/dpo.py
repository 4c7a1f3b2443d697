"""The stages of `dpo` that are its own: a reference, the optimisation, further rounds."""

from __future__ import annotations

import json
from pathlib import Path

from agents.trainer.run import POLICY
from agents.trainer.workers.measuring import answered, asked, figures
from agents.trainer.workers.preferring import compared_with, held_out_gap
from agents.trainer.workers.work import Made, Work
from events.catalog.jobs import Limits
from events.catalog.training import Measured

NEAR = Limits(kl=0.08)
SHARED = ("architectures", "hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
"""What has to be alike in two configurations for one to begin as the other."""


async def initialise(work: Work) -> Made:
    """The policy is the reference, and a probe says so."""
    policy, sft = await work.model(POLICY), await work.model("sft")
    problems = await asked(work, items=50)
    items = await answered(work, policy, problems, sft, "initial")
    same = _shape(policy) == _shape(sft)
    matching = Measured(value=float(same), low=float(same), high=float(same), n=1)
    return Made({"kl": figures(items)["kl"], "matching": matching})


async def optimise(work: Work) -> Made:
    """The better side of each pair is raised."""
    return await _raised(work, await work.model("sft"))


async def iterate(work: Work) -> Made:
    """Once more, from the policy that there is."""
    return await _raised(work, await work.model(POLICY))


async def _raised(work: Work, before: Path) -> Made:
    sft = await work.model("sft")
    more = {"beta": 1.0} if work.profile == "tiny" else {}
    trained = await work.train(
        "dpo", before, {"train": work.input("pairs.train")}, NEAR, sft, "", lora=False, **more
    )
    found, _ = await compared_with(work, trained.model, before, sft)
    found["gap"] = await held_out_gap(work, trained.model, sft)
    curve = await work.keep_file(trained, f"curve.{work.request.stage}")
    return Made(found, (await work.keep(trained.model, POLICY), curve))


def _shape(model: Path) -> dict[str, object]:
    config = json.loads((model / "config.json").read_bytes())
    return {name: config.get(name) for name in SHARED}
