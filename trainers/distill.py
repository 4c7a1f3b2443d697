"""Distillation: a student learns from a teacher's texts, or from its view of the student's own.

`traces` imitates completions that the teacher wrote before. `on_policy` has the student write, and
brings its whole distribution at each token nearer to the teacher's; so it learns where its own
texts lead it, and from more than the one token that was drawn. A share of the steps may take traces
instead, held against the same teacher. No gradient goes through the drawing.

The student is a model of its own, or it is cut out of the base first. With LoRA its adapters are
kept beside the model that they are merged into.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from trainers import sft
from trainers.adapters import write_adapter
from trainers.batching import microbatch, shrinking
from trainers.closing import closed
from trainers.cutting import cut
from trainers.data import too_long
from trainers.folder import put_folder
from trainers.learning import Learner
from trainers.losses import divergence, entropy_of, masked_mean
from trainers.models import KEPT, load, load_reference, save
from trainers.needs import other_tokens
from trainers.order import Counting, derived, endless
from trainers.outcome import Outcome
from trainers.policy import Policy
from trainers.run import Run
from trainers.sequences import logits_of, padded


class Text(NamedTuple):
    """A prompt and what stands behind it, as tokens: a trace, or what the student wrote."""

    prompt: list[int]
    completion: list[int]


def train(run: Run) -> Outcome:
    """Rows with a prompt; and with a completion where traces are learned from."""
    if run.settings.layers is not None:
        _cut(run)
    policy = Policy(run)
    if run.settings.mode == "traces":
        sft.learn(run, policy, run.rows())
    else:
        learn(run, policy, teacher_of(run, policy))
    if run.settings.lora:
        put_folder(run.folder / "adapter", partial(_write_adapter, policy))
    return closed(run, policy)


def _cut(run: Run) -> None:
    """The student out of the base, once; from then on it is the base, and the base the teacher.

    Weights that are drawn and then replaced move no luck that the training itself draws from.
    """
    place = run.folder / "student"
    if not place.exists():
        whole = load(run.spec.base, dtype=KEPT)
        with torch.random.fork_rng(devices=[]):
            less = cut(whole.model, run.settings.layers, run.settings.neurons)
        save(place, less, whole.tokenizer)
    told = {"base": str(place), "reference": run.spec.reference or run.spec.base}
    run.spec = run.spec.model_copy(update=told)


def _write_adapter(policy: Policy, place: Path) -> None:
    """The adapters, the same bytes wherever they were made: what they were put on is `base`."""
    write_adapter(place, policy.model)
    policy.tokenizer.save_pretrained(place)
    (place / "README.md").unlink(missing_ok=True)
    config = json.loads((place / "adapter_config.json").read_bytes())
    config["base_model_name_or_path"] = "base"
    (place / "adapter_config.json").write_text(json.dumps(config, indent=1, sort_keys=True))


def teacher_of(run: Run, policy: Policy) -> Any:
    """The reference of the job, which has to know the student's tokens by the same numbers."""
    found = load_reference(
        run.spec.reference or run.spec.base, dtype=run.settings.precision, device=policy.device
    )
    ours, theirs = policy.tokenizer.get_vocab(), found.tokenizer.get_vocab()
    if ours != theirs:
        raise other_tokens(sum(theirs.get(token) != number for token, number in ours.items()))
    return found.model


def learn(run: Run, policy: Policy, teacher: Any) -> None:
    """Write, compare, step; until the steps are done or the guard says stop."""
    settings, seed = run.settings, run.spec.seed
    ready = _fitting(run, policy)
    steps = settings.steps or -(-len(ready) * settings.epochs // settings.batch)
    learner = Learner([(policy.model, 1.0)], settings, steps, seed)
    begin, passed = 0, 0
    if (place := run.resume_from()) is not None:
        kept = learner.read(place)
        begin, passed = kept["step"], kept["passed"]
    drawing = Counting(endless(ready, seed, passed), passed)
    policy.learns(dropout=False)
    widest = _widest(run, ready)
    size = microbatch(
        run, policy.model, settings.batch * settings.samples,
        lambda many: _loss(run, policy, teacher, [widest] * many)[0],
    )  # fmt: skip
    for step in range(begin + 1, steps + 1):
        learner.begin(step)
        some = [next(drawing) for _ in range(settings.batch)]
        told: dict[str, float] = {}
        if random.Random(derived(seed, "share", step)).random() < settings.on_policy_share:
            some, told = _written(run, policy, some, step)
        work = partial(_step, run, policy, teacher, learner, some)
        numbers, size = shrinking(run, step, size, work)
        if run.report(step, **told, **numbers):
            break
        run.safe_point(step, partial(learner.write, step=step, passed=drawing.passed))


def _fitting(run: Run, policy: Policy) -> list[Text]:
    """As tokens; what is too long is left out, and how many were is written down."""
    engine, rows, found = policy.engine, run.rows(), []
    for row in rows:
        prompt, completion = engine.prompt_ids(row["prompt"]), []
        if run.settings.on_policy_share < 1:
            completion = [*engine.completion_ids(row["completion"]), policy.tokenizer.eos_token_id]
        if len(prompt) + max(1, len(completion)) <= run.settings.max_length:
            found.append(Text(prompt, completion))
    if not found:
        raise too_long(len(rows), run.settings.max_length)
    run.note("too_long", len(rows) - len(found))
    return found


def _widest(run: Run, ready: Sequence[Text]) -> Text:
    """As long as any text may be, to see what it takes."""
    prompt = max((one.prompt for one in ready), key=len)
    trace = max((one.completion for one in ready), key=len)
    longest = max(len(trace), run.settings.max_new if run.settings.on_policy_share else 0)
    return Text(prompt, [prompt[-1]] * longest)


def _written(
    run: Run, policy: Policy, some: Sequence[Text], step: int
) -> tuple[list[Text], dict[str, float]]:
    """What the student writes behind these prompts."""
    settings = run.settings
    found = policy.engine.generate(
        [one.prompt for one in some], settings.max_new, settings.temperature,
        seed=derived(run.spec.seed, "sample", step), samples=settings.samples,
    )  # fmt: skip
    prompts = [one.prompt for one in some for _ in range(settings.samples)]
    texts = [
        Text(prompt, list(one.token_ids))
        for prompt, one in zip(prompts, found, strict=True)
        if one.finished or not settings.mask_truncated
    ]
    told = {
        "truncated": sum(not one.finished for one in found) / len(found),
        "length": sum(len(one.token_ids) for one in found) / len(found),
    }
    return texts, told


def _step(
    run: Run, policy: Policy, teacher: Any, learner: Learner, some: Sequence[Text], size: int
) -> dict[str, float]:
    """One update, with so many texts on the machine at once; none, where all were cut off."""
    if not some:
        return {"grad_norm": 0.0}
    learner.optimizer.zero_grad(set_to_none=True)
    told = {"loss": 0.0, "entropy": 0.0}
    tokens = sum(len(one.completion) for one in some)
    for start in range(0, len(some), size):
        part = some[start : start + size]
        share = sum(len(one.completion) for one in part) / tokens
        loss, numbers = _loss(run, policy, teacher, part)
        (share * loss).backward()
        for name, number in (numbers | {"loss": loss.item()}).items():
            told[name] += share * number
    norm = torch.nn.utils.clip_grad_norm_(learner.parameters, run.settings.max_grad_norm)
    if torch.isfinite(norm):
        learner.optimizer.step()
    return told | {"grad_norm": norm.item()}


def _loss(
    run: Run, policy: Policy, teacher: Any, part: Sequence[Text]
) -> tuple[Any, dict[str, float]]:
    """Per token, how far the student is from its teacher, and how undecided it is."""
    batch = padded(
        [one.prompt for one in part],
        [one.completion for one in part],
        policy.tokenizer.pad_token_id,
    ).on(policy.engine.device)
    with policy.autocast():
        ours = logits_of(policy.model, batch)
        with torch.no_grad():
            theirs = logits_of(teacher, batch)
    shared = min(ours.shape[-1], theirs.shape[-1])  # what a model has beyond that is no token
    heat = run.settings.temperature
    ours, theirs = ours[..., :shared] / heat, theirs[..., :shared] / heat
    each = divergence(ours, theirs, run.settings.divergence)
    with torch.no_grad():
        spread = masked_mean(entropy_of(ours), batch.mask).item()
    return masked_mean(each, batch.mask), {"entropy": spread}
