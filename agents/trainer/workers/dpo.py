"""The stages of `dpo` that are its own: a reference and a policy that begins as it, and learning
from pairs, which further rounds share."""

from __future__ import annotations

import json
import struct
from hashlib import sha256
from math import tanh
from pathlib import Path
from typing import Any

from agents.trainer.run import POLICY
from agents.trainer.workers.jobs import Ended
from agents.trainer.workers.measuring import answered, asked, beside, figures, keep_items
from agents.trainer.workers.rewarding import FILTERED, TRAIN, VALIDATION
from agents.trainer.workers.work import Made, Work
from events.catalog.jobs import Limits, Recipe, Setting
from events.catalog.training import Artifact, Measured
from pipelines.evidence.intervals import bounded
from pipelines.failures import right
from trainers.recipes import settings_of

NEAR, ROUND = Limits(kl=0.07), Limits(kl=0.08)
"""How far a policy may go before it is stopped, in all; a look on the way scatters, and the gate at
0.1 looks closer. A further round begins where the last one ended, so it may go a little on."""
BETA = 1.0
"""In the profile `tiny` the weight of the reference, in learning and in the gap that is measured:
with the 0.1 of large models a model of a quarter million weights is beyond the KL before it prefers
anything. It is not moved by remedies, so figures of different attempts can be compared."""
SHAPE = ("architectures", "hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
"""What has to be alike in two configurations for one to begin as the other."""
HEADER = 100_000_000
"""Bytes of the longest list of weights that is read."""


async def initialise(work: Work) -> Made:
    """The policy is the reference, weight by weight, and a probe says so."""
    policy, sft = await work.model(POLICY), await work.model("sft")
    problems = await asked(work, items=50)
    items = await answered(work, policy, problems, sft, "initial")
    ours, theirs = shapes(policy), shapes(sft)
    parts = sorted(ours.keys() | theirs.keys())
    same = sum(ours.get(part) == theirs.get(part) for part in parts)
    share = same / len(parts)
    settings = settings_of(Recipe(trainer="dpo", profile=work.profile, settings=_own(work)))
    told = {
        "reference": work.input("sft").sha256,
        "policy": work.input(POLICY).sha256,
        "trainer": "dpo",
        "profile": work.profile,
        "settings": settings.model_dump(mode="json"),
        "limits": NEAR.model_dump(mode="json", exclude_none=True),
        "gap_beta": gap_beta(work),
    }
    matching = Measured(value=share, low=share, high=share, n=len(parts))
    made = (await work.keep_rows([told], "configuration"),)
    return Made({"kl": figures(items)["kl"], "matching": matching}, made)


async def optimise(work: Work) -> Made:
    """The better side of each pair is raised."""
    kind = FILTERED if work.setting("filter", 0) >= 1 else TRAIN
    return await compared(work, await raised(work, await work.model("sft"), work.input(kind), NEAR))


async def raised(work: Work, before: Path, rows: Artifact, limits: Limits) -> Ended:
    """A policy that has learned these pairs, looked at on the way by pairs that were held back."""
    data = {"train": rows, "held_out": work.input(VALIDATION)}
    return await work.train("dpo", before, data, limits, await work.model("sft"), "", **_own(work))


def _own(work: Work) -> dict[str, Setting]:
    return {"lora": False, "beta": BETA} if work.profile == "tiny" else {}


async def compared(work: Work, trained: Ended) -> Made:
    """The new policy beside the one it began as, on fresh problems; and on pairs held back."""
    sft = await work.model("sft")
    both = await beside(work, trained.model, sft, sft)
    beta = gap_beta(work)
    margins = [float(one["margin"]) for one in trained.items]
    return Made(
        both.figures | preferred(margins, beta),
        (
            await work.keep(trained.model, POLICY),
            await keep_items(work, both.problems, both.after),
            await work.keep_file(trained, f"curve.{work.request.stage}"),
        ),
    )


def preferred(margins: list[float], beta: float) -> dict[str, Measured]:
    """What a policy prefers of pairs that it has not seen, against the reference; of the reference
    itself half would be right, with no gap."""
    return {
        "gap": bounded([tanh(beta * one / 2) for one in margins], -1.0, 1.0),
        "preference_accuracy": right(margins),
    }


async def held_out_gap(work: Work, model: Path, reference: Path) -> dict[str, Measured]:
    """How much more than the SFT a policy prefers the better sides of pairs it has not seen."""
    beta = gap_beta(work)
    rows = {"held_out": work.input(VALIDATION)}
    ended = await work.train("measure", model, rows, None, reference, "gap", of="pairs", beta=beta)
    return preferred([one["margin"] for one in ended.items], beta)


def gap_beta(work: Work) -> float:
    """The weight in the gap: that of the mission for models of people's own."""
    return BETA if work.profile == "tiny" else 0.1


def shapes(model: Path) -> dict[str, Any]:
    """What a model is built like: its configuration, its words, every weight by name and shape."""
    config = json.loads((model / "config.json").read_bytes())
    found: dict[str, Any] = {name: config.get(name) for name in SHAPE}
    words = model / "tokenizer.json"
    found["words"] = sha256(words.read_bytes()).hexdigest() if words.is_file() else None
    for file in sorted(model.glob("*.safetensors")):
        with file.open("rb") as content:
            (length,) = struct.unpack("<Q", content.read(8))
            listed = json.loads(content.read(min(length, HEADER)))
        for name, one in listed.items():
            if name != "__metadata__":
                found[f"weight {name}"] = (one["dtype"], one["shape"])
    return found
