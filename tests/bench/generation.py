"""Tokens a second that come out of a small model: our engine beside `model.generate`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from tests.bench.results import PeerMissing, Result, ratio
from tests.bench.rounds import interleaved

try:
    import torch
    import transformers
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from trainers.engine import Engine
    from trainers.tokens import character_tokenizer
except ImportError:
    raise PeerMissing("torch is not installed: pip install 'ratchet-fleet[train]'") from None

NEW = 48
BATCHES = (64, 16, 128)
SAMPLES = 8


def made() -> tuple[Any, Any]:
    """A model of the size that is made here, without weights that know anything."""
    tokenizer = character_tokenizer("0123456789+=#;<>/dehiknorstuv")
    tokenizer.padding_side = "left"
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    return Qwen2ForCausalLM(config).eval(), tokenizer


def sides(batch: int, temperature: float, rounds: int) -> dict[str, list[float]]:
    """Both go from the same prompts to text, `NEW` tokens each, in one batch."""
    model, tokenizer = made()
    engine = Engine(model, tokenizer, rows=batch)
    engine.ends = frozenset()  # nobody stops early
    model.generation_config.eos_token_id = None
    draw = random.Random(0)
    prompts = [f"{draw.randrange(1000)}+{draw.randrange(1000)}#" for _ in range(batch)]
    how = {"do_sample": True, "temperature": 1.0, "top_k": 0} if temperature else {}

    def theirs() -> list[str]:
        ids = tokenizer(prompts, return_tensors="pt", padding=True)
        found = model.generate(
            input_ids=ids["input_ids"],
            attention_mask=ids["attention_mask"],
            max_new_tokens=NEW,
            pad_token_id=tokenizer.pad_token_id,
            **({"do_sample": False} | how),
        )
        assert found.shape[1] == ids["input_ids"].shape[1] + NEW
        texts: list[str] = tokenizer.batch_decode(found[:, -NEW:], skip_special_tokens=True)
        return texts

    def ours() -> list[str]:
        written = engine.generate(prompts, NEW, temperature)
        assert all(len(one.token_ids) == NEW for one in written)
        return [one.text for one in written]

    if not temperature:
        assert ours() == theirs()

    def speed(write: Callable[[], list[str]]) -> Callable[[], float]:
        def side() -> float:
            began = time.perf_counter()
            write()
            return batch * NEW / (time.perf_counter() - began)

        return side

    return interleaved({"ours": speed(ours), "theirs": speed(theirs)}, rounds)


def rollouts(rounds: int) -> dict[str, list[float]]:
    """What a trainer asks for: 8 samples of each of 16 prompts, each until it ends by itself.

    Both draw from the same distribution, so lengths come out alike; tokens behind an end are not
    counted. The model is random, and ends a text with each token once in thirty times or so.
    """
    model, tokenizer = made()
    engine = Engine(model, tokenizer, rows=16 * SAMPLES)
    draw = random.Random(0)
    prompts = [f"{draw.randrange(1000)}+{draw.randrange(1000)}#" for _ in range(16)]

    def theirs() -> float:
        began = time.perf_counter()
        ids = tokenizer(prompts, return_tensors="pt", padding=True)
        found = model.generate(
            input_ids=ids["input_ids"],
            attention_mask=ids["attention_mask"],
            max_new_tokens=2 * NEW,
            num_return_sequences=SAMPLES,
            do_sample=True,
            temperature=1.0,
            top_k=0,
            pad_token_id=tokenizer.pad_token_id,
        )[:, ids["input_ids"].shape[1] :]
        tokenizer.batch_decode(found, skip_special_tokens=True)
        taken = time.perf_counter() - began
        ended = (found == tokenizer.eos_token_id).int()
        return float((ended.cumsum(1) - ended == 0).sum()) / taken

    def ours() -> float:
        began = time.perf_counter()
        written = engine.generate(prompts, 2 * NEW, samples=SAMPLES)
        return sum(len(one.token_ids) for one in written) / (time.perf_counter() - began)

    return interleaved({"ours": ours, "theirs": theirs}, rounds)


def measure(short: bool) -> Result:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rounds = 5 if short else 25
    figures, goals = {}, []
    for batch in BATCHES:
        for name, temperature in (("sampled", 1.0), ("greedy", 0.0)):
            found = sides(batch, temperature, rounds)
            figures[f"ours {batch} {name}"] = found["ours"]
            figures[f"theirs {batch} {name}"] = found["theirs"]
            if batch == 64:
                goals.append(ratio(found["ours"], found["theirs"], f"batch 64, {name}", 1.3))
    found = rollouts(rounds)
    figures["ours rollouts"], figures["theirs rollouts"] = found["ours"], found["theirs"]
    goals.append(ratio(found["ours"], found["theirs"], "rollouts, 16 x 8 samples", 1.3))
    torch.set_num_threads(threads)
    return Result(
        f"generation of {NEW} tokens each, from prompts to texts",
        "tokens/s",
        {
            "ours": "trainers.engine.Engine.generate, one batch",
            "theirs": f"transformers {transformers.__version__} model.generate with its KV cache,"
            " no end token; tokenizing and decoding in both",
        },
        figures,
        goals,
        {
            "model": "Qwen2, 2 layers of 128, 4 heads, 0.43 million weights, float32",
            "torch": torch.__version__,
            "threads": 1,
        },
    )
