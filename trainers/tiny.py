"""Small models made here, so that everything can be proven without a hub.

A base is pre-trained on the correct trajectories of a model type until it passes a stated level:
the share of problems whose likeliest answer is right. Between two checks every step's weights are
kept, and the first that pass are taken, for a model leaps past 3 % and past 35 % within a few
steps. The same recipe gives the same weights, on one thread of one kind of machine; its hash names
the folder, so nothing is made twice.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM

from events.message import Value
from trainers.engine import Engine
from trainers.failures import BadBase
from trainers.folder import put_folder
from trainers.models import write
from trainers.tokens import tokenizer_of

Size = Literal["tiny", "small", "medium"]


class Shape(NamedTuple):
    """How large a model is."""

    layers: int
    width: int
    heads: int


SIZES: dict[str, Shape] = {
    "tiny": Shape(2, 64, 2),  # 0.11 million weights
    "small": Shape(2, 128, 4),  # 0.43 million
    "medium": Shape(4, 256, 8),  # 3.4 million
}
NOTE = "base.json"
CONTEXT = 1024


class Recipe(Value):
    """All that the weights depend on."""

    made_by: int = 2
    """Goes up when the way of making changes."""
    model_type: str
    learned: str
    """Hash of its tokenizer and of its first trajectories, which change when the type does."""
    seed: int
    size: Size
    level: float
    """Share of the dev problems that it answers rightly, greedily."""
    steps: int
    """After so many it is given up."""
    batch: int = 64
    learning_rate: float = 3e-3
    warmup: int = 20
    every: int = 10
    """Steps between checks."""
    dev: int = 200
    """Problems of a check."""
    torch: str
    """Its version: another one may come to other weights."""


class Base(Value):
    """What was made, as it stands beside the weights."""

    recipe: Recipe
    reached: float
    """Share of the dev problems that it answers rightly, greedily."""
    sampled: float
    """The same of one sample each at temperature 1."""
    steps: int
    weights: int


def make_tiny_base(
    model_type: Any,
    seed: int,
    size: Size = "small",
    level: float = 0.35,
    folder: Path = Path("build/bases"),
    steps: int = 2000,
    told: Callable[[int, float], object] = lambda _step, _reached: None,
) -> Path:
    """The folder of a base like this; made now, if nobody has yet, and `told` at each check."""
    recipe = Recipe(
        model_type=model_type.name,
        learned=_fingerprint(model_type, seed),
        seed=seed,
        size=size,
        level=level,
        steps=steps,
        torch=torch.__version__,
    )
    name = sha256(recipe.model_dump_json().encode()).hexdigest()[:16]
    place = folder / f"{model_type.name}-{size}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / f".{place.name}.lock"):
        if not place.exists():
            with _repeatable(seed):
                put_folder(place, lambda made: _make(made, model_type, recipe, told))
    return place


def base_at(place: Path) -> Base:
    """What a base that was made here says of itself."""
    try:
        return Base.model_validate_json((place / NOTE).read_bytes())
    except (OSError, ValueError) as error:
        right = "a folder from make_tiny_base"
        raise BadBase(f"no base was made here ({error})", where=str(place), right=right) from None


def _make(
    place: Path, model_type: Any, recipe: Recipe, told: Callable[[int, float], object]
) -> None:
    tokenizer = tokenizer_of(model_type)
    model = _untrained(recipe, tokenizer)
    check = _Check(model, tokenizer, model_type, recipe)
    steps = _train(model, tokenizer, model_type, recipe, check, told)
    weights = sum(one.numel() for one in model.parameters())
    reached, sampled = check.verified(0.0), check.verified(1.0)
    base = Base(recipe=recipe, reached=reached, sampled=sampled, steps=steps, weights=weights)
    (place / NOTE).write_text(base.model_dump_json(indent=1))
    write(place, model.eval(), tokenizer)


def _untrained(recipe: Recipe, tokenizer: Any) -> Any:
    """Built like Llama: for Qwen2 AutoTokenizer would put a tokenizer of its own over ours."""
    shape = SIZES[recipe.size]
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.width,
        intermediate_size=3 * shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def _train(
    model: Any,
    tokenizer: Any,
    model_type: Any,
    recipe: Recipe,
    check: _Check,
    told: Callable[[int, float], object],
) -> int:
    """Until a check is passed: after how many steps."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=0.0)
    lessons = _lessons(model_type, tokenizer, recipe)
    since: list[dict[str, Any]] = []
    reached = 0.0
    for step in range(1, recipe.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * min(1.0, step / recipe.warmup)
        _learn(model, optimizer, next(lessons), tokenizer.pad_token_id)
        since.append({name: one.clone() for name, one in model.state_dict().items()})
        if step % recipe.every:
            continue
        reached = check()
        told(step, reached)
        if reached >= recipe.level:
            return _first_that_passes(model, since, check, recipe.level, step)
        since.clear()
    raise BadBase(
        f"the base of {recipe.model_type} reached {reached:.0%} after {recipe.steps} steps",
        where="level",
        right=f"a level below {recipe.level:.0%}, a larger size, or more steps",
    )


def _first_that_passes(
    model: Any, since: list[dict[str, Any]], check: _Check, level: float, step: int
) -> int:
    """Go back over the steps since the last check; the last one is known to pass."""
    for place, weights in enumerate(since[:-1]):
        model.load_state_dict(weights)
        if check() >= level:
            return step - len(since) + place + 1
    model.load_state_dict(since[-1])
    return step


def _learn(model: Any, optimizer: Any, lesson: tuple[Any, Any], pad: int) -> None:
    """One step on completions; prompts are given, not learned."""
    ids, wanted = lesson
    logits = model(input_ids=ids, attention_mask=(ids != pad).long(), use_cache=False).logits
    loss = cross_entropy(logits[:, :-1].flatten(0, 1), wanted[:, 1:].flatten(), ignore_index=-100)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def _lessons(model_type: Any, tokenizer: Any, recipe: Recipe) -> Iterator[tuple[Any, Any]]:
    """Batches of prompts with their right completions, padded on the right, without end."""
    problems = model_type.problems(2 * recipe.seed)
    while True:
        some = list(islice(problems, recipe.batch))
        prompts = tokenizer([one.prompt for one in some])["input_ids"]
        texts = [model_type.completion(model_type.solve(one)) for one in some]
        answers = tokenizer(texts, add_special_tokens=False)["input_ids"]
        rows = [
            (before, [*behind, tokenizer.eos_token_id])
            for before, behind in zip(prompts, answers, strict=True)
        ]
        width = max(len(before) + len(behind) for before, behind in rows)
        ids = torch.full((len(rows), width), tokenizer.pad_token_id)
        wanted = torch.full((len(rows), width), -100)
        for line, (before, behind) in enumerate(rows):
            end = len(before) + len(behind)
            ids[line, :end] = torch.tensor([*before, *behind])
            wanted[line, len(before) : end] = torch.tensor(behind)
        yield ids, wanted


class _Check:
    """The share of dev problems that a model answers rightly as it is now."""

    def __init__(self, model: Any, tokenizer: Any, model_type: Any, recipe: Recipe) -> None:
        self._engine, self._type = Engine(model, tokenizer, rows=recipe.dev), model_type
        self._problems = list(islice(model_type.problems(2 * recipe.seed + 1), recipe.dev))
        self._expert = [model_type.completion(model_type.solve(one)) for one in self._problems]
        self._most = max(len(one) for one in tokenizer(self._expert)["input_ids"]) + 8

    def __call__(self) -> float:
        """Of the likeliest answers; where verifying is costly, only the expert's own are right."""
        return self._share(0.0, verifying=not getattr(self._type, "costly", False))

    def verified(self, temperature: float) -> float:
        """Of the likeliest answers, or of one sample each, by the verifier whatever it costs."""
        return self._share(temperature, verifying=True)

    def _share(self, temperature: float, verifying: bool) -> float:
        prompts = [one.prompt for one in self._problems]
        written = self._engine.generate(prompts, self._most, temperature, seed=0)
        right: list[bool] = [
            one.text == expert or (verifying and bool(self._type.verify(problem, one.text).correct))
            for problem, expert, one in zip(self._problems, self._expert, written, strict=True)
        ]
        return sum(right) / len(right)


def _fingerprint(model_type: Any, seed: int) -> str:
    """Of the tokens and of what is learned first; another text under the same name is seen."""
    some = list(islice(model_type.problems(2 * seed), 32))
    texts = [[one.prompt, model_type.completion(model_type.solve(one))] for one in some]
    tokens = tokenizer_of(model_type).backend_tokenizer.to_str()
    content = json.dumps([tokens, texts])
    return sha256(content.encode()).hexdigest()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """While another process makes the same base, wait for it."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """One thread and its own random numbers; afterwards all is as it was."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
