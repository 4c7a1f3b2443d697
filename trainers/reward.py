"""A reward model: a score for whole texts, learned from pairs (Bradley-Terry) or labels (BCE).

The score is a linear reading of the last hidden state on the trunk of the base, at the end token or
as the mean over all tokens; the whole of it learns, adapters on it, or the reading alone. A base
that is a reward model already goes on from its own reading. Where there are held-out rows, what is
kept is the checkpoint that judges them best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from trainers.batching import microbatch, shrinking
from trainers.best import Best
from trainers.closing import HELD_OUT
from trainers.critics import scores_of, texts
from trainers.data import too_long
from trainers.learning import Learner
from trainers.models import write
from trainers.order import Counting, endless
from trainers.outcome import Outcome
from trainers.policy import Policy
from trainers.probe import preferred
from trainers.run import Run
from trainers.value_head import FILE, ValueHead, load_head

Row = Mapping[str, Any]
AT_ONCE = 64
"""Texts that are scored at the same time when it is measured."""
ALIKE = 1e-4
"""Of two checkpoints that are right as often the one with the smaller loss is the better: what a
nat of it weighs beside a pair."""
LOOKED_AT = 500
"""Held-out rows of a look on the way."""


def train(run: Run) -> Outcome:
    """Pairs with a chosen and a rejected side, or completions with a label of 0 or 1."""
    settings, policy = run.settings, Policy(run)
    device = policy.engine.device
    head = _head(run, policy).to(device)
    if settings.trains == "last_layer":
        policy.model.requires_grad_(False)
    rows = _fitting(run, policy, run.rows())
    steps = settings.steps or -(-len(rows) * settings.epochs // settings.batch)
    learner = Learner([(policy.model, 1.0), (head, 1.0)], settings, steps, run.spec.seed)
    begin, passed = 0, 0
    if (place := run.resume_from()) is not None:
        kept = learner.read(place)
        begin, passed = kept["step"], kept["passed"]
    best, asked = Best(run, [policy.model, head], steps), _looked_at(run)
    drawing = Counting(endless(rows, run.spec.seed, passed), passed)
    longest = max(rows, key=lambda row: sum(len(str(one)) for one in row.values()))
    probe = partial(_loss, run, policy, head)
    policy.learns(dropout=True)
    size = microbatch(run, policy.model, settings.batch, lambda many: probe([longest] * many)[0])
    for step in range(begin + 1, steps + 1):
        learner.begin(step)
        some = [next(drawing) for _ in range(settings.batch)]
        work = partial(_step, run, policy, head, learner, some)
        numbers, size = shrinking(run, step, size, work)
        if asked and best.due(step):
            numbers |= _look(run, policy, head, asked)
            best.seen(step, numbers["held_out_accuracy"] - ALIKE * numbers["held_out_loss"])
        if run.report(step, **numbers):
            break
        run.safe_point(step, partial(learner.write, step=step, passed=drawing.passed))
    if (step := best.restore() or 0) > 0:
        run.note("best_step", step)
    return ended(run, policy, head)


def _fitting(run: Run, policy: Policy, rows: Sequence[Row]) -> Sequence[Row]:
    """Those of which nothing has to be cut off; how many were left out is written down."""
    sides = ("completion",) if run.settings.loss == "bce" else ("chosen", "rejected")
    most, found = run.settings.max_length - 1, []
    for row in rows:
        ids = policy.tokenizer([row["prompt"] + row[side] for side in sides])["input_ids"]
        if max(map(len, ids)) <= most:
            found.append(row)
    if not found:
        raise too_long(len(rows), run.settings.max_length)
    run.note("too_long", len(rows) - len(found))
    return found


def _head(run: Run, policy: Policy) -> ValueHead:
    """A new reading, or that of the reward model which the base is."""
    if (Path(run.spec.base) / FILE).is_file():
        return load_head(Path(run.spec.base))
    width = policy.model.get_input_embeddings().embedding_dim
    return ValueHead(width, run.settings.reads)


def _looked_at(run: Run) -> Sequence[Row]:
    """Held-out rows from the first to the last; none where there are none."""
    if run.spec.data_named(HELD_OUT) is None:
        return []
    rows = run.rows(HELD_OUT)
    return rows[:: -(-len(rows) // LOOKED_AT)]


def _look(run: Run, policy: Policy, head: ValueHead, asked: Sequence[Row]) -> dict[str, float]:
    """How it judges rows that it does not learn from, as it is now."""
    policy.model.eval()
    run.beat()
    margins = _margins(run, policy, head, asked)
    policy.learns(dropout=True)
    found = preferred(margins)
    losses = -logsigmoid(torch.tensor(margins))
    return {"held_out_accuracy": found.accuracy, "held_out_loss": losses.mean().item()}


def _step(
    run: Run, policy: Policy, head: ValueHead, learner: Learner, some: Sequence[Row], size: int
) -> dict[str, float]:
    """One update, with so many rows on the machine at once."""
    learner.optimizer.zero_grad(set_to_none=True)
    told = {"loss": 0.0, "accuracy": 0.0, "margin": 0.0}
    for start in range(0, len(some), size):
        part = some[start : start + size]
        share = len(part) / len(some)
        loss, numbers = _loss(run, policy, head, part)
        (share * loss).backward()
        for name, number in (numbers | {"loss": loss.item()}).items():
            told[name] += share * number
    norm = torch.nn.utils.clip_grad_norm_(learner.parameters, run.settings.max_grad_norm)
    if torch.isfinite(norm):
        learner.optimizer.step()
    return told | {"grad_norm": norm.item()}


def _loss(
    run: Run, policy: Policy, head: ValueHead, part: Sequence[Row]
) -> tuple[Any, dict[str, float]]:
    settings = run.settings
    if settings.loss == "bce":
        scores = _scores(run, policy, head, part, "completion")
        labels = torch.tensor([float(row["label"]) for row in part], device=scores.device)
        right = ((scores > 0) == (labels > 0.5)).float().mean().item()
        loss = binary_cross_entropy_with_logits(scores, labels)
        return loss, {"accuracy": right, "margin": scores.abs().mean().item()}
    chosen = _scores(run, policy, head, part, "chosen")
    rejected = _scores(run, policy, head, part, "rejected")
    margins = chosen - rejected
    loss = -logsigmoid(margins).mean() + settings.centre * ((chosen + rejected) ** 2).mean()
    right = ((margins > 0).float() + 0.5 * (margins == 0).float()).mean().item()
    return loss, {"accuracy": right, "margin": margins.mean().item()}


def _scores(run: Run, policy: Policy, head: ValueHead, part: Sequence[Row], side: str) -> Any:
    prompts, sides = [row["prompt"] for row in part], [row[side] for row in part]
    batch = texts(policy.tokenizer, prompts, sides, run.settings.max_length)
    with policy.autocast():
        return scores_of(policy.model, head, batch.on(policy.engine.device)).float()


def ended(run: Run, policy: Policy, head: ValueHead) -> Outcome:
    """The model with its reading, and how it judges the rows it learned from and others."""
    policy.model.eval()
    run.beat()
    run.save_model(lambda place: write(place, policy.model, policy.tokenizer, head))
    metrics: dict[str, float | None] = {}
    items: list[dict[str, Any]] = []
    for name in ("train", HELD_OUT):
        if run.spec.data_named(name) is None:
            continue
        margins = _margins(run, policy, head, run.rows(name))
        found = preferred(margins)
        metrics |= {f"{name}_accuracy": found.accuracy, f"{name}_margin": found.margin}
        items += [{"rows": name, "row": row, "margin": one} for row, one in enumerate(margins)]
    there, here = metrics.get("train_accuracy"), metrics.get(f"{HELD_OUT}_accuracy")
    metrics["gap"] = None if there is None or here is None else there - here
    return Outcome(metrics=metrics, per_item=run.save_items(items))


def _margins(run: Run, policy: Policy, head: ValueHead, rows: Sequence[Row]) -> list[float]:
    """How much better the better side is scored; of a label, on which side of zero it lies."""
    found: list[float] = []
    with torch.no_grad():
        for start in range(0, len(rows), AT_ONCE):
            part = rows[start : start + AT_ONCE]
            if run.settings.loss == "bce":
                scores = _scores(run, policy, head, part, "completion").tolist()
                found += [s if row["label"] else -s for s, row in zip(scores, part, strict=True)]
            else:
                better = _scores(run, policy, head, part, "chosen")
                found += (better - _scores(run, policy, head, part, "rejected")).tolist()
    return found
