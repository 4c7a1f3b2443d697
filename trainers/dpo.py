"""DPO: prefer the chosen to the rejected completion, measured against the reference, directly.

The losses bear the names that TRL gives them; several are mixed by their weights. Log-probabilities
under the reference are computed once, before the first step. Where there are held-out pairs, the
policy is looked at on the way: how far it went and what it prefers by then; what is kept is the
checkpoint that prefers most within the limit of the KL.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch.nn.functional import logsigmoid, relu

from trainers.batching import microbatch, shrinking
from trainers.best import Best
from trainers.closing import HELD_OUT, closed
from trainers.data import too_long
from trainers.failures import Usage
from trainers.learning import Learner
from trainers.losses import logprobs_of
from trainers.order import Counting, derived, endless
from trainers.outcome import Outcome
from trainers.policy import Policy
from trainers.probe import measure, preferences
from trainers.run import Run
from trainers.sequences import logits_of, padded

Tensor = Any
AT_ONCE = 32
"""Pairs of which the reference is asked at the same time."""
LOOKED_AT = 48
"""Held-out pairs of a look on the way: their prompts are answered, and both sides weighed."""


class Pair(NamedTuple):
    """Tokens of a prompt and of both its completions; and what the reference thinks of them."""

    prompt: list[int]
    chosen: list[int]
    rejected: list[int]
    reference: tuple[float, float] = (0.0, 0.0)


Loss = Callable[[Tensor, float, float], Tensor]
"""Of the difference of the log-ratios, beta, and the share of labels that may be wrong."""


def _sigmoid(margin: Tensor, beta: float, smoothing: float) -> Tensor:
    return -(1 - smoothing) * logsigmoid(beta * margin) - smoothing * logsigmoid(-beta * margin)


def _robust(margin: Tensor, beta: float, smoothing: float) -> Tensor:
    """Unbiased, where so many labels are wrong."""
    right, wrong = logsigmoid(beta * margin), logsigmoid(-beta * margin)
    return (-(1 - smoothing) * right + smoothing * wrong) / (1 - 2 * smoothing)


LOSSES: dict[str, Loss] = {
    "sigmoid": _sigmoid,
    "robust": _robust,
    "hinge": lambda margin, beta, _: relu(1 - beta * margin),
    "ipo": lambda margin, beta, _: (margin - 1 / (2 * beta)) ** 2,
}


def train(run: Run) -> Outcome:
    """Pairs of completions, of which the chosen is the better one."""
    settings, policy = run.settings, Policy(run)
    for name in settings.losses:
        if name not in LOSSES:
            right = f"one of {', '.join(LOSSES)}"
            raise Usage(f"there is no loss {name!r}", where="recipe.settings.losses", right=right)
    pairs = _judged(run, policy, _fitting(run, policy, run.rows()))
    steps = settings.steps or -(-len(pairs) * settings.epochs // settings.batch)
    learner = Learner([(policy.model, 1.0)], settings, steps, run.spec.seed)
    begin, passed = 0, 0
    if (place := run.resume_from()) is not None:
        kept = learner.read(place)
        begin, passed = kept["step"], kept["passed"]
    best, asked = Best(run, [policy.model], steps), _held_out(run)[:LOOKED_AT]
    drawing = Counting(endless(pairs, run.spec.seed, passed), passed)
    widest = max(pairs, key=lambda one: len(one.prompt) + len(one.chosen) + len(one.rejected))
    policy.learns(dropout=False)
    size = microbatch(
        run, policy.model, settings.batch, lambda many: _loss(run, policy, [widest] * many)[0]
    )
    for step in range(begin + 1, steps + 1):
        learner.begin(step)
        some = [next(drawing) for _ in range(settings.batch)]
        numbers, size = shrinking(run, step, size, partial(_step, run, policy, learner, some))
        if asked and best.due(step):
            numbers |= _look(run, policy, asked)
            if numbers["kl"] <= (run.spec.limits.kl or math.inf):
                best.seen(step, numbers["gap"])
        if run.report(step, **numbers):
            break
        run.safe_point(step, partial(learner.write, step=step, passed=drawing.passed))
    if (step := best.restore() or 0) > 0:
        run.note("best_step", step)
    return ended(run, policy)


def _held_out(run: Run) -> list[dict[str, Any]]:
    """Pairs that it does not learn from; none where there are none, or problems in their place."""
    if run.spec.data_named(HELD_OUT) is None:
        return []
    rows = run.rows(HELD_OUT)
    return rows if "chosen" in rows[0] else []


def _look(run: Run, policy: Policy, asked: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """How far it is from the reference, and what it prefers, as it is now."""
    policy.model.eval()
    run.beat()
    prompts = [row["prompt"] for row in asked]
    sides = [[row[side] for row in asked] for side in ("chosen", "rejected")]
    reference, beta = policy.measured_against(), run.settings.beta
    found = preferences(policy.engine, reference, prompts, *sides, beta=beta)
    longest = max(len(policy.engine.completion_ids(one)) for side in sides for one in side)
    seed = derived(run.spec.seed, "look")
    apart = measure(policy.engine, reference, prompts, max_new=longest + 1, seed=seed)
    policy.learns(dropout=False)
    return {
        "kl": apart.kl_per_token,
        "entropy": apart.entropy,
        "held_out_accuracy": found.accuracy,
        "gap": found.gap,
    }


def _fitting(run: Run, policy: Policy, rows: Sequence[Mapping[str, Any]]) -> list[Pair]:
    """As tokens; what is too long is left out, and how many were is written down."""
    engine, end, found = policy.engine, policy.tokenizer.eos_token_id, []
    for row in rows:
        sides = [[*engine.completion_ids(row[side]), end] for side in ("chosen", "rejected")]
        prompt = engine.prompt_ids(row["prompt"])
        if len(prompt) + max(len(side) for side in sides) <= run.settings.max_length:
            found.append(Pair(prompt, sides[0], sides[1]))
    if not found:
        raise too_long(len(rows), run.settings.max_length)
    run.note("too_long", len(rows) - len(found))
    return found


def _judged(run: Run, policy: Policy, pairs: list[Pair]) -> list[Pair]:
    """With the log-probabilities of the reference."""
    found: list[Pair] = []
    policy.model.eval()
    with torch.no_grad(), policy.reference() as reference, policy.autocast():
        for start in range(0, len(pairs), AT_ONCE):
            part = pairs[start : start + AT_ONCE]
            run.beat()
            sums = _sums(policy, reference, part).tolist()
            for place, pair in enumerate(part):
                both = (sums[place], sums[len(part) + place])
                found.append(pair._replace(reference=both))
    return found


def _step(
    run: Run, policy: Policy, learner: Learner, some: list[Pair], size: int
) -> dict[str, float]:
    """One update, with so many pairs on the machine at once."""
    learner.optimizer.zero_grad(set_to_none=True)
    told = {"loss": 0.0, "accuracy": 0.0, "margin": 0.0}
    for start in range(0, len(some), size):
        part = some[start : start + size]
        share = len(part) / len(some)
        loss, numbers = _loss(run, policy, part)
        (share * loss).backward()
        for name, number in (numbers | {"loss": loss.item()}).items():
            told[name] += share * number
    norm = torch.nn.utils.clip_grad_norm_(learner.parameters, run.settings.max_grad_norm)
    if torch.isfinite(norm):
        learner.optimizer.step()
    return told | {"grad_norm": norm.item()}


def _loss(run: Run, policy: Policy, part: Sequence[Pair]) -> tuple[Any, dict[str, float]]:
    settings = run.settings
    with policy.autocast():
        sums = _sums(policy, policy.model, part)
    there = torch.tensor([one.reference for one in part], device=sums.device)
    raised = sums.view(2, len(part)) - there.T
    margin = raised[0] - raised[1]
    weights = settings.loss_weights or (1.0,) * len(settings.losses)
    loss = sum(
        weight * LOSSES[name](margin, settings.beta, settings.label_smoothing).mean()
        for name, weight in zip(settings.losses, weights, strict=True)
    )
    right = ((margin > 0).float() + 0.5 * (margin == 0).float()).mean().item()
    return loss, {"accuracy": right, "margin": settings.beta * margin.mean().item()}


def _sums(policy: Policy, model: Any, part: Sequence[Pair]) -> Tensor:
    """Log-probabilities of all chosen and then of all rejected completions."""
    prompts = [one.prompt for one in part] * 2
    sides = [one.chosen for one in part] + [one.rejected for one in part]
    batch = padded(prompts, sides, policy.tokenizer.pad_token_id).on(policy.engine.device)
    return (logprobs_of(logits_of(model, batch), batch.chosen) * batch.mask).sum(1)


def ended(run: Run, policy: Policy) -> Outcome:
    """The model; and on held-out pairs what it prefers, against the reference from the disk."""
    if run.spec.data_named(HELD_OUT) is None or "chosen" not in run.rows(HELD_OUT)[0]:
        return closed(run, policy)
    outcome = closed(run, policy, measuring=False)
    rows = run.rows(HELD_OUT)
    reference = run.spec.reference or run.spec.base
    found = preferences(
        policy.engine,
        reference,
        [row["prompt"] for row in rows],
        [row["chosen"] for row in rows],
        [row["rejected"] for row in rows],
        beta=run.settings.beta,
    )
    items = [{"row": row, "margin": margin} for row, margin in enumerate(found.per_item)]
    metrics = {"accuracy": found.accuracy, "gap": found.gap, "margin": found.margin}
    return outcome.model_copy(update={"metrics": metrics, "per_item": run.save_items(items)})
