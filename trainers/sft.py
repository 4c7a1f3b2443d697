"""SFT: imitate completions, by plain likelihood or weighed by the model's own probability (dft)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch

from trainers.batching import microbatch, shrinking
from trainers.closing import closed
from trainers.data import too_long
from trainers.learning import Learner
from trainers.losses import entropy_of, logprobs_of, masked_mean
from trainers.order import Counting, endless
from trainers.outcome import Outcome
from trainers.policy import Policy
from trainers.run import Run
from trainers.sequences import Sequences, logits_of, padded

Row = Mapping[str, Any]


def train(run: Run) -> Outcome:
    """Rows with a prompt and the completion to imitate; the end token is added to each."""
    policy = Policy(run)
    learn(run, policy, run.rows())
    return closed(run, policy)


def learn(run: Run, policy: Policy, rows: Sequence[Row]) -> None:
    """Until the steps are done or the guard says stop. A row may have a weight; where its text goes
    on behind the completion, `ends` is false."""
    settings = run.settings
    ready = _fitting(run, policy, rows)
    steps = settings.steps or -(-len(ready) * settings.epochs // settings.batch)
    learner = Learner([(policy.model, 1.0)], settings, steps, run.spec.seed)
    begin, passed = 0, 0
    if (place := run.resume_from()) is not None:
        kept = learner.read(place)
        begin, passed = kept["step"], kept["passed"]
    drawing = Counting(endless(ready, run.spec.seed, passed), passed)
    widest = max(ready, key=lambda one: len(one[0]) + len(one[1]))
    policy.learns(dropout=True)
    size = microbatch(
        run, policy.model, settings.batch, lambda many: _loss(run, policy, [widest] * many)[0]
    )
    for step in range(begin + 1, steps + 1):
        learner.begin(step)
        some = [next(drawing) for _ in range(settings.batch)]
        numbers, size = shrinking(run, step, size, partial(_step, run, policy, learner, some))
        if run.report(step, **numbers):
            break
        run.safe_point(step, partial(learner.write, step=step, passed=drawing.passed))


Ready = tuple[list[int], list[int], float]
"""A prompt and a completion as tokens, and the weight of the row."""


def _fitting(run: Run, policy: Policy, rows: Sequence[Row]) -> list[Ready]:
    """As tokens; what is too long is left out, and how many were is written down."""
    engine, found = policy.engine, []
    whole = not getattr(run.settings, "completion_only", True)
    for row in rows:
        prompt = engine.prompt_ids(row["prompt"])
        completion = engine.completion_ids(row["completion"])
        if row.get("ends", True):
            completion = [*completion, policy.tokenizer.eos_token_id]
        if whole:
            prompt, completion = prompt[:1], [*prompt[1:], *completion]
        if len(prompt) + len(completion) <= run.settings.max_length:
            found.append((prompt, completion, float(row.get("weight", 1.0))))
    if not found:
        raise too_long(len(rows), run.settings.max_length)
    run.note("too_long", len(rows) - len(found))
    return found


def _step(
    run: Run, policy: Policy, learner: Learner, some: list[Ready], size: int
) -> dict[str, float]:
    """One update, with so many rows on the machine at once."""
    learner.optimizer.zero_grad(set_to_none=True)
    told = {"loss": 0.0, "entropy": 0.0, "accuracy": 0.0}
    tokens = sum(len(one[1]) for one in some)
    for start in range(0, len(some), size):
        part = some[start : start + size]
        share = sum(len(one[1]) for one in part) / tokens
        loss, numbers = _loss(run, policy, part)
        (share * loss).backward()
        for name, number in (numbers | {"loss": loss.item()}).items():
            told[name] += share * number
    norm = torch.nn.utils.clip_grad_norm_(learner.parameters, run.settings.max_grad_norm)
    if torch.isfinite(norm):
        learner.optimizer.step()
    return told | {"grad_norm": norm.item()}


def _loss(run: Run, policy: Policy, part: Sequence[Ready]) -> tuple[Any, dict[str, float]]:
    """Per token of the completions, and what a person would like to see of it."""
    batch: Sequences = padded(
        [one[0] for one in part], [one[1] for one in part], policy.tokenizer.pad_token_id
    ).on(policy.engine.device)
    weights = torch.tensor([one[2] for one in part], device=policy.engine.device)
    with policy.autocast():
        logits = logits_of(policy.model, batch)
    logprobs = logprobs_of(logits, batch.chosen)
    each = -logprobs * weights[:, None]
    if getattr(run.settings, "loss", "nll") == "dft":
        each = each * logprobs.detach().exp()
    with torch.no_grad():
        right = (logits.argmax(-1) == batch.chosen).float()
        numbers = {
            "entropy": masked_mean(entropy_of(logits), batch.mask).item(),
            "accuracy": masked_mean(right, batch.mask).item(),
        }
    return masked_mean(each, batch.mask), numbers
