"""What a job may take, set before anything heavy loads: threads, memory, randomness.

Threads that wait for each other spin: with more of them than there are free cores a training takes
many times as long. So one thread is what a job gets unless it asks for more.
"""

from __future__ import annotations

import os
import random
import resource
import sys
from contextlib import suppress

from events.catalog.jobs import Resources

POOLS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def set_threads(threads: int) -> None:
    """For libraries that are still to be loaded, which read this once."""
    for name in POOLS:
        os.putenv(name, str(threads))
    os.putenv("TOKENIZERS_PARALLELISM", "false")


def hold_memory(resources: Resources) -> None:
    """Have what goes beyond the job's memory fail in it, not in its neighbours.

    Where there is an accelerator its driver reserves far more than it uses, so nothing is held.
    """
    if resources.memory_mb is None or resources.gpus or sys.platform != "linux":
        return
    most = resources.memory_mb << 20
    _, ceiling = resource.getrlimit(resource.RLIMIT_DATA)
    if ceiling != resource.RLIM_INFINITY:
        most = min(most, ceiling)
    resource.setrlimit(resource.RLIMIT_DATA, (most, ceiling))


def seed_libraries(seed: int, threads: int) -> None:
    """For libraries that are loaded now; of one that is not there is nothing to set."""
    random.seed(seed)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(seed % 2**32)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(threads)
        with suppress(RuntimeError):  # it is said once for each process
            torch.set_num_interop_threads(1)
        torch.manual_seed(seed)
