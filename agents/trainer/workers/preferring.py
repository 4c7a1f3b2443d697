"""The stages that `dpo` and `srf` share: imitation, pairs, a reward model, rounds, the end."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from itertools import islice
from math import tanh
from pathlib import Path
from statistics import fmean
from typing import Any

from agents.trainer.run import POLICY
from agents.trainer.workers.measuring import Items, answered, asked, figures, rewards
from agents.trainer.workers.work import TINY, Made, Work
from events.catalog.training import Artifact, Measured
from pipelines.data.pairs import Answer, Preference, Scored, paired, preferences
from pipelines.data.quality import guarding
from pipelines.data.rows import Provenance
from pipelines.evidence.intervals import bounded, proportion
from pipelines.evidence.intervals import paired as compared
from pipelines.evidence.ratios import retained

DRAFTS, STEPS = 3000, 100
PROMPTS, SAMPLES, LONGEST = 1500, 4, 32
VALIDATION = 0.2
"""Share of the pairs that no reward model learns from."""
FINAL = 300


async def prepare(work: Work) -> Made:
    """Imitation of drafts, and the baseline of all that follows."""
    base: Path | str = work.request.base
    if base == TINY:
        base = (await work.train("begin", TINY, {})).model
    rows = await work.keep_rows(_drafts(work), "drafts")
    more = {"steps": STEPS, "learning_rate": 1e-3} if work.profile == "tiny" else {}
    trained = await work.train("sft", base, {"train": rows}, None, None, "", **more)
    problems = await asked(work)
    items = await answered(work, trained.model, problems, trained.model, "baseline")
    kept = await work.keep(trained.model, POLICY)
    sft = kept.model_copy(update={"kind": "sft"})
    return Made(_scored(items), (kept, sft, await work.keep_file(trained, "curve.prepare")))


def _drafts(work: Work) -> list[dict[str, str]]:
    """As people write, where the type knows how they do; else an expert's answers."""
    kind, seed = work.kind, work.seed("drafts")
    draft = getattr(kind, "draft", None)
    written = {}
    for one in islice(kind.problems(seed), 2 * DRAFTS):
        text = draft(one, seed) if draft else kind.completion(kind.solve(one))
        written[one.prompt] = text
    return [{"prompt": one, "completion": text} for one, text in islice(written.items(), DRAFTS)]


async def pairs(work: Work) -> Made:
    """Several answers to each prompt, and which of two is better; leaks out, conflicts settled."""
    model = await work.model("sft")
    seed = work.seed("prompts", work.setting("seed", 0))
    many = round(work.setting("prompts", PROMPTS))
    problems = {one.prompt: one for one in islice(work.kind.problems(seed), 3 * many)}
    chosen = list(problems.values())[:many]
    prompts = await work.keep_rows(({"prompt": one.prompt} for one in chosen), "prompts")
    written = await work.train(
        "measure", model, {"held_out": prompts}, None, None, "samples", of="samples",
        samples=round(work.setting("samples", SAMPLES)),
        temperature=work.setting("temperature", 1.0), max_new=LONGEST,
    )  # fmt: skip
    offered = await asyncio.to_thread(_offered, work, problems, written.items)
    asked_later = [one.prompt for one in work.kind.suite(work.request.seed, FINAL)]
    guarded = await asyncio.to_thread(guarding, asked_later, work.kind)
    found = await asyncio.to_thread(paired, offered, guarded)
    told = ({**one.row(), "gap": round(one.gap, 4)} for one in found.kept)
    rows = await work.keep_rows(told, "pairs")
    return Made({gate.name: gate.value for gate in found.gates}, (rows,))


def _offered(work: Work, problems: Mapping[str, Any], written: Items) -> list[Preference]:
    """Judged by who knows: the verifier of the type, which no model sees."""
    scored = []
    for one in written:
        problem = problems[one["prompt"]]
        answers = [Answer(text, work.kind.verify(problem, text).reward) for text in one["texts"]]
        scored.append(
            Scored(one["prompt"], answers, Provenance(source="policy", method="verifier"))
        )
    return preferences(scored)


def split(rows: Sequence[Mapping[str, Any]], seed: int) -> tuple[list[Any], list[Any]]:
    """Four fifths and the rest; all pairs of a prompt on one side, so that nothing is learned by
    heart that is asked afterwards."""
    prompts = sorted({str(one["prompt"]) for one in rows})
    random.Random(seed).shuffle(prompts)
    held = set(prompts[: round(VALIDATION * len(prompts))])
    return (
        [one for one in rows if one["prompt"] not in held],
        [one for one in rows if one["prompt"] in held],
    )


async def reward_model(work: Work) -> Made:
    """Learns the pairs, and judges those that it has not seen."""
    train, validation = split(await work.rows("pairs"), work.request.seed)
    rows = {
        "train": await work.keep_rows(train, "pairs.train"),
        "held_out": await work.keep_rows(validation, "pairs.validation"),
    }
    base = await work.model("sft")
    epochs = {"epochs": 5, "batch": 32} if work.profile == "tiny" else {}
    trained = await work.train("reward", base, rows, None, None, "", **epochs)
    seen = [one["margin"] for one in trained.items if one["rows"] == "train"]
    fresh = [one["margin"] for one in trained.items if one["rows"] == "held_out"]
    found = {"train_accuracy": _right(seen), "accuracy": _right(fresh)}
    gap = found["train_accuracy"].value - found["accuracy"].value
    found["overfit"] = Measured(value=gap, low=gap, high=gap, n=len(fresh))
    kept = await work.keep(trained.model, "reward")
    curve = await work.keep_file(trained, f"curve.{work.request.stage}")
    return Made(found, (kept, rows["train"], rows["held_out"], curve))


def _right(margins: Sequence[float]) -> Measured:
    """Pairs whose better side is scored higher; a tie is wrong."""
    return proportion(sum(one > 0 for one in margins), len(margins))


async def compared_with(
    work: Work, model: Path, before: Path, reference: Path, name: str = ""
) -> tuple[dict[str, Measured], Items]:
    """A policy beside the one before it on the same fresh problems; how far it is from the SFT."""
    problems = await asked(work, name)
    after = await answered(work, model, problems, reference, f"{name}after")
    earlier = await answered(work, before, problems, reference, f"{name}before")
    found = _scored(after) | {"gain": compared(rewards(after), rewards(earlier))}
    return found, after


async def held_out_gap(work: Work, model: Path, reference: Path) -> Measured:
    """How much more than the SFT a policy prefers the better sides of pairs it has not seen."""
    beta = work.setting("gap_beta", 1.0 if work.profile == "tiny" else 0.1)
    rows = work.input("pairs.validation")
    ended = await work.train(
        "measure", model, {"held_out": rows}, None, reference, "gap", of="pairs", beta=beta
    )
    return bounded([tanh(beta * one["margin"] / 2) for one in ended.items], -1.0, 1.0)


async def evaluate(work: Work) -> Made:
    """The best of all policies beside the imitation it began as."""
    policy, sft = await work.model(POLICY), await work.model("sft")
    problems = await asked(work, items=FINAL)
    after = await answered(work, policy, problems, sft, "policy")
    before = await answered(work, sft, problems, sft, "sft")
    trained = await work.rows("pairs")
    known = {str(one["prompt"]) for one in trained}
    held = [json.loads(line) for line in _lines(work, problems)]
    leaked = sum(one["prompt"] in known for one in held)
    clean = 1 - leaked / len(held)
    found = _scored(after) | {
        "improvement": compared(rewards(after), rewards(before)),
        "baseline": _scored(before)["score"],
        "retention": retained(rewards(after), rewards(before)),
        "win_rate": bounded(_wins(after, before)),
        "gap": await held_out_gap(work, policy, sft),
        "clean": Measured(value=clean, low=clean, high=clean, n=len(held)),
    }
    if work.request.pipeline == "srf":
        found["accuracy"] = await judged(work)
    return Made(found)


async def judged(work: Work) -> Measured:
    """Whether the reward model still tells better from worse, on pairs that it has not seen."""
    rows = {"held_out": work.input("pairs.validation")}
    model = await work.model("reward")
    ended = await work.train("measure", model, rows, None, None, "reward", of="scores")
    return _right([one["chosen"] - one["rejected"] for one in ended.items])


def _wins(after: Items, before: Items) -> list[float]:
    """Of each problem: how often a sample beats the other's, sample by sample; a tie is half."""
    return [
        fmean(
            1.0 if one > other else 0.5 if one == other else 0.0
            for one, other in zip(ours["rewards"], theirs["rewards"], strict=True)
        )
        for ours, theirs in zip(after, before, strict=True)
    ]


def _scored(items: Items) -> dict[str, Measured]:
    """Figures, with the reward as the score that counts."""
    found = figures(items)
    found["score"] = found["reward"]
    return found


def _lines(work: Work, one: Artifact) -> list[bytes]:
    return work.artifacts.read(one.sha256).splitlines()
