"""Steps of SRL and RLVR by our loop and by stock TRL, and how good both are after as many of them;
then the way of PPO and of GRPO to the same reward.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from tests.bench.results import Goal, PeerMissing, Result, ratio
from tests.bench.rounds import disk, interleaved

try:
    import torch
    import transformers
    import trl
    from trl import GRPOTrainer

    from tests.bench.climbs import TARGET, Climb, climb, imitated
    from tests.bench.loops import (
        BATCH,
        GROUP,
        TYPE,
        Subject,
        Trained,
        ours,
        outcomes,
        steps,
        theirs,
    )
    from tests.bench.sections import Parts, clocked
    from trainers import grpo_step
    from trainers.engine import Engine
    from trainers.tiny import make_tiny_base
except ImportError:
    raise PeerMissing("torch is not installed: pip install 'ratchet-fleet[train]'") from None

STEPS = 12
OURS: Parts = {
    "generation": (Engine, "generate"),
    "reference": (grpo_step, "logprobs"),
    "loss": (grpo_step, "_loss"),
    "gradients": (torch.Tensor, "backward"),
}
THEIRS: Parts = {
    "generation": (GRPOTrainer, "_generate"),
    "generation, rewards, reference": (GRPOTrainer, "_generate_and_score_completions"),
    "loss": (GRPOTrainer, "compute_loss"),
    "gradients": (torch.Tensor, "backward"),
}
NOISE = 2.0
"""Standard errors that a difference may lie below zero and still be none."""


def measure(short: bool) -> Result:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with disk() as folder:
            return _measured(folder, 2 if short else 5)
    finally:
        torch.set_num_threads(threads)


def _measured(folder: Path, rounds: int) -> Result:
    base = make_tiny_base(TYPE, seed=0, level=0.35)
    figures: dict[str, list[float]] = {}
    goals: list[Goal] = []
    shares: dict[str, Any] = {}
    for subject in (outcomes(400), steps(200)):
        found = _beside(subject, base, folder, rounds)
        name = subject.name
        for side in ("ours", "theirs"):
            figures[f"{name} {side}"] = [one.pace for one in found[side]]
            figures[f"{name} {side} right"] = [one.right for one in found[side]]
        pace = ratio(figures[f"{name} ours"], figures[f"{name} theirs"], f"{name}, steps/s", 1.3)
        goals += [pace, _as_good(found["ours"], found["theirs"], name)]
        shares[name] = _shares(subject, base, folder)
    climbs = _climbs(folder, rounds)
    for side, ways in climbs.items():
        figures[f"{side} to the reward"] = [one.seconds for one in ways]
    pairs = [ppo.seconds / grpo.seconds for ppo, grpo in zip(*climbs.values(), strict=True)]
    spread = (min(pairs), max(pairs))
    goals.append(Goal("PPO / GRPO, seconds", statistics.median(pairs), 1.1, False, spread))
    return Result(
        f"learning on additions, {BATCH} prompts of {GROUP} samples, {STEPS} steps in each round",
        "steps/s, share right or s",
        {
            "ours": "trainers.grpo.learn, as srl and rlvr call it, without drawing groups anew",
            "theirs": f"trl {trl.__version__} GRPOTrainer, generation by transformers, bfloat16 and"
            " gradient checkpointing off; rate, beta, loss and optimizer as ours",
            "right": "share of right samples on 100 held-out problems, 4 samples each, after it",
            "to the reward": f"seconds until replies to held-out tickets are better by {TARGET:g}",
        },
        figures,
        goals,
        {
            "model": "Llama, 2 layers of 128, 4 heads, 0.43 million weights, float32",
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "threads": 1,
            "seconds_of_a_step": shares,
            "kl_at_the_reward": {
                side: [round(one.kl, 4) for one in ways] for side, ways in climbs.items()
            },
        },
    )


def _beside(subject: Subject, base: Path, folder: Path, rounds: int) -> dict[str, list[Trained]]:
    """Both sides, round by round, from the same seed in each."""
    found: dict[str, list[Trained]] = {"ours": [], "theirs": []}

    def side(name: str, train: Callable[..., Trained]) -> Callable[[], float]:
        seeds = count()

        def once() -> float:
            seed = next(seeds)
            place = folder / f"{subject.name}-{name}-{seed}"
            found[name].append(train(subject, base, STEPS, seed, place))
            return found[name][-1].pace

        return once

    interleaved({"ours": side("ours", ours), "theirs": side("theirs", theirs)}, rounds)
    return {name: rows[1:] for name, rows in found.items()}  # the first has warmed all up


def _as_good(ours: list[Trained], theirs: list[Trained], name: str) -> Goal:
    """By how many standard errors ours are better; below -2 they would be worse."""
    apart = [one.right - other.right for one, other in zip(ours, theirs, strict=True)]
    share = statistics.fmean(one.right for one in (*ours, *theirs))
    chance = math.sqrt(2 * share * (1 - share) / 400)  # of one round's answers alone
    each = statistics.fmean(statistics.variance([one.right for one in o]) for o in (ours, theirs))
    error = max(chance, statistics.stdev(apart), math.sqrt(2 * each)) / math.sqrt(len(apart))
    better = statistics.fmean(apart) / error
    return Goal(f"{name}, as good (errors)", better, -NOISE)


def _shares(subject: Subject, base: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Seconds of a step in each part, of a training that counts for nothing else."""
    found = {}
    for name, train, parts in (("ours", ours, OURS), ("theirs", theirs, THEIRS)):
        with clocked(parts) as spent:
            place = folder / f"{subject.name}-{name}-clocked"
            train(subject, base, STEPS // 2, 0, place, measuring=False)
        found[name] = {part: round(one / (STEPS // 2), 4) for part, one in spent.items()}
    return found


def _climbs(folder: Path, rounds: int) -> dict[str, list[Climb]]:
    start = imitated(folder)
    found: dict[str, list[Climb]] = {"ppo": [], "grpo": []}

    def side(name: str) -> Callable[[], float]:
        seeds = count()

        def once() -> float:
            seed = next(seeds)
            found[name].append(climb(name, start, seed, folder / f"{name}-{seed}"))
            return found[name][-1].seconds

        return once

    interleaved({name: side(name) for name in found}, rounds)
    return {name: rows[1:] for name, rows in found.items()}
