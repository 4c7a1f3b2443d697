"""How many samples are on the machine at once: measured before the first step, and written down.

What a backward pass keeps is counted byte by byte on one sample of the greatest length, so the
answer does not depend on what else the machine is doing. Where the memory does not suffice all the
same, the batch is halved, which is written down too; the gradients of the parts are summed, so
nothing else changes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch

from trainers.failures import NoMemory, out_of_memory
from trainers.policy import Policy, layers_of
from trainers.run import Run
from trainers.sequences import logits_of, padded

T = TypeVar("T")

SHARE = 0.5
"""Of the free memory that activations may take; weights, gradients and samples need theirs."""
NAME = "microbatch"


def microbatch(run: Run, model: Any, most: int, longest: Callable[[int], Any]) -> int:
    """As set, as found at an earlier start, or as measured now; at most `most`."""
    if run.settings.microbatch:
        return int(min(run.settings.microbatch, most))
    known = run.noted(NAME)
    if known is not None:
        return int(known["size"])
    bytes_ = kept_bytes(longest) + computed_again(model, longest)
    free = free_bytes(run)
    size = max(1, min(most, int(SHARE * free / max(1, bytes_))))
    run.note(NAME, {"size": size, "bytes_each": bytes_, "free": free, "halved_at": []})
    return size


def widest(policy: Policy, prompts: Iterable[str], max_new: int, size: int) -> Any:
    """The loss of samples as long as any may be, to see what it takes."""
    longest = max((policy.engine.prompt_ids(prompt) for prompt in prompts), key=len)
    most = policy.engine.room(len(longest), max_new)
    batch = padded([longest] * size, [[longest[-1]] * most] * size, longest[-1])
    with policy.autocast():
        return logits_of(policy.model, batch.on(policy.engine.device)).logsumexp(-1).sum()


def shrinking(run: Run, step: int, size: int, work: Callable[[int], T]) -> tuple[T, int]:
    """Do it, with smaller parts where the memory is too small; what came of it, and the size."""
    while True:
        luck = torch.get_rng_state()
        luck_there = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        try:
            return work(size), size
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            if size == 1:
                right = "LoRA, gradient_checkpointing, a smaller max_length, or more memory"
                raise NoMemory("not even one sample fits", where=NAME, right=right) from None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
            torch.cuda.set_rng_state_all(luck_there)
        torch.set_rng_state(luck)
        size //= 2
        known = run.noted(NAME) or {"halved_at": []}
        run.note(NAME, {**known, "size": size, "halved_at": [*known["halved_at"], step]})


def kept_bytes(longest: Callable[[int], Any]) -> int:
    """What a backward pass would keep of one sample."""
    seen: set[int] = set()
    total = 0

    def pack(tensor: Any) -> Any:
        nonlocal total
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            total += storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        longest(1)
    return total


def computed_again(model: Any, longest: Callable[[int], Any]) -> int:
    """What a backward pass has besides while it computes one of the layers a second time."""
    layers = [one for one in layers_of(model) if one.gradient_checkpointing and one.training]
    if not layers:
        return 0
    few = kept_bytes(longest)
    for layer in layers:
        layer.gradient_checkpointing = False
    try:
        return max(0, kept_bytes(longest) - few) // len(layers)
    finally:
        for layer in layers:
            layer.gradient_checkpointing = True


def free_bytes(run: Run) -> int:
    """Of the accelerator, of what the job may have, or of the machine."""
    if run.spec.resources.gpus and torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    if run.spec.resources.memory_mb is not None:
        return run.spec.resources.memory_mb << 20
    return int(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
