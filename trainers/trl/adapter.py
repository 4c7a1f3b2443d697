"""A job through TRL's trainers: the same spec, rows, guard, checkpoints and closing measures.

Our own loops are the default; a job that sets `through` to `trl` comes here, for vLLM, tools,
trackers and whatever else TRL's configs offer. Known traps that are seen to: the reference is what
TRL loads from the disk under the name of the model, or the base under its adapters, never a copy;
rows that are too long are left out rather than cut; TRL would report home, and does not from here.
"""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import huggingface_hub.constants
from datasets import Dataset, disable_progress_bars
from transformers import PrinterCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from events.catalog.jobs import JobSpec
from trainers import dpo, rlvr
from trainers.batching import microbatch
from trainers.closing import closed
from trainers.failures import Usage
from trainers.groups import Task
from trainers.models import load_reference
from trainers.outcome import Outcome
from trainers.policy import Policy
from trainers.run import Run
from trainers.scoring import by_verifier, scorer
from trainers.sequences import logits_of, padded
from trainers.trl import scoring_model
from trainers.trl.configs import config_of, quiet, refusals
from trainers.trl.contract import broken, look
from trainers.trl.fields import WORK, completions, fields_of, kind_of, steps_of
from trainers.trl.following import Following
from trainers.trl.rows import Rows, check_weights, fitting
from trainers.trl.scored import ROW, functions, names_of


def check(spec: JobSpec, settings: Any) -> None:
    """All that can be said of these settings before a model is loaded."""
    if missing := broken():
        right = "the version of TRL that stands in pyproject.toml"
        raise Usage(f"this TRL is another one: {'; '.join(missing)}", where="TRL", right=right)
    if getattr(settings, "use_vllm", False) and find_spec("vllm") is None:
        raise Usage(
            "vLLM is not installed",
            where="recipe.settings.use_vllm",
            right="pip install 'trl[vllm]' on a machine with an accelerator, or false",
        )
    if (Path(spec.base).expanduser() / "adapter_config.json").exists():
        right = "the merged model, as every job saves it"
        raise Usage("TRL would load the adapters of this base unmerged", where="base", right=right)
    _named(settings)
    fields = fields_of(spec, settings, steps=1, micro=1, cpu=True, rewards=())
    config_of(kind_of(spec.trainer, settings).config, fields, dict(settings.trl))


def train(run: Run) -> Outcome:
    """By the trainer of TRL that does what the job's trainer does."""
    huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True
    disable_progress_bars()
    if run.spec.trainer == "reward":
        return scoring_model.train(run, follow)
    policy, rows = Policy(run), run.rows()
    match run.spec.trainer:
        case "sft":
            check_weights(rows)
            follow(run, policy.model, policy.tokenizer, fitting(run, policy, rows, "completion"))
        case "dpo":
            pairs = fitting(run, policy, rows, "chosen", "rejected")
            more = {} if run.settings.lora else {"ref_model": _reference(run, policy)}
            follow(run, policy.model, policy.tokenizer, pairs, **more)
            return dpo.ended(run, policy)
        case _:
            _sampled(run, policy, rows)
    return closed(run, policy)


def follow(
    run: Run, model: Any, tokenizer: Any, rows: Rows, rewards: Sequence[str] = (), **more: Any
) -> Any:
    """TRL's trainer to its end, or until the guard stops it; the trainer."""
    settings, trainer = run.settings, run.spec.trainer
    kind, whole = kind_of(trainer, settings), completions(trainer, settings)
    steps = steps_of(settings, len(rows))
    work = _tidied(run.folder / WORK)
    fields = fields_of(
        run.spec, settings, steps=steps, micro=_micro(run, model, tokenizer, whole),
        cpu=str(model.device) == "cpu", rewards=rewards,
    )  # fmt: skip
    config = config_of(kind.config, fields | {"output_dir": str(work)}, dict(settings.trl))
    samples = trainer in ("grpo", "rlvr")
    following = Following(
        run, kind.trainer, work, every=getattr(settings, "iterations", 1),
        kl=samples and config.beta != 0, samples=samples,
    )  # fmt: skip
    with refusals(), quiet():
        found = look(kind.trainer)(
            model=model,
            args=config,
            train_dataset=Dataset.from_list([dict(row) for row in rows]),
            processing_class=tokenizer,
            callbacks=[following],
            **more,
        )
    found.remove_callback(PrinterCallback)
    place = run.resume_from()
    with quiet():
        found.train(resume_from_checkpoint=None if place is None else str(place))
    _tidied(work)
    return found


def _tidied(work: Path) -> Path:
    """Without checkpoints that a kill left there, and without the card of a model to publish."""
    for left in work.glob(f"{PREFIX_CHECKPOINT_DIR}-*"):
        shutil.rmtree(left, ignore_errors=True)
    (work / "README.md").unlink(missing_ok=True)
    if work.is_dir() and not any(work.iterdir()):
        work.rmdir()
    return work


def _sampled(run: Run, policy: Policy, rows: Rows) -> None:
    """Samples of the policy, scored as the job says; GRPO or RLOO."""
    settings = run.settings
    if run.spec.trainer == "rlvr":
        score = by_verifier(run.model_type, form=settings.format_weight > 0)
        if run.noted("entry") is None:
            tasks = [Task(row["prompt"], row) for row in rows]
            rlvr.enter(run, policy, tasks, score)
    else:
        score = scorer(run)
    if not settings.lora:  # from there TRL loads what it compares with
        policy.model.config._name_or_path = run.spec.reference or run.spec.base
    names = names_of(run)
    more = _named(settings)
    more["reward_funcs"] = functions(run, score, names, policy.engine.ends)
    talk = bool(settings.tools or settings.environment_factory)
    columns = [
        {"prompt": _asked(row["prompt"], talk), ROW: json.dumps(row)}
        for row in fitting(run, policy, rows)
    ]
    follow(run, policy.model, policy.tokenizer, columns, names, **more)


def _asked(prompt: str, talk: bool) -> Any:
    """Tools are only told to a model in a conversation."""
    return [{"role": "user", "content": prompt}] if talk else prompt


def _named(settings: Any) -> dict[str, Any]:
    """The tools and the environment that are named, themselves."""
    found: dict[str, Any] = {}
    if tools := getattr(settings, "tools", ()):
        found["tools"] = [_thing(one, "tools") for one in tools]
    if made := getattr(settings, "environment_factory", ""):
        found["environment_factory"] = _thing(made, "environment_factory")
    return found


def _thing(path: str, field: str) -> Any:
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise Usage(
            f"there is no {path} ({error})",
            where=f"recipe.settings.{field}",
            right="package.module:function, which Python finds from where the job is started",
        ) from None


def _reference(run: Run, policy: Policy) -> Any:
    named = run.spec.reference or run.spec.base
    return load_reference(named, device=policy.device).model


def _micro(run: Run, model: Any, tokenizer: Any, whole: int) -> int:
    """How many are on the machine at once: what fits, and divides the batch."""
    settings, ends = run.settings, tokenizer.eos_token_id
    sides = 2 if run.spec.trainer in ("dpo", "reward") else 1
    new = min(getattr(settings, "max_new", settings.max_length), settings.max_length - 1)
    before = max(1, settings.max_length - new)

    def longest(many: int) -> Any:
        batch = padded([[ends] * before] * many * sides, [[ends] * new] * many * sides, ends)
        return logits_of(model, batch.on(model.device)).logsumexp(-1).sum()

    most = microbatch(run, model, whole, longest)
    return next(size for size in range(most, 0, -1) if whole % size == 0)
