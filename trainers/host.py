"""A process that has loaded torch and TRL once, and forks a job each time it is asked.

So a stage begins in a tenth of a second, not after five to ten. Its owner speaks to it over a pair
of sockets that only the two of them hold: there is no address at which anyone else could ask, and
when the owner dies, however it does, the host reads the end and goes too. Its jobs go on: each
leads a group of its own. A job that dies takes nothing with it.

Fork is safe from one thread only, so nothing here computes: no tensor, no gradient, no CUDA, which
does not survive a fork. If some library has begun a thread all the same, the host says so and does
not serve, and jobs are started in fresh processes.

    owner -> host   {"spec": "/jobs/a/spec.json", "deserted": 600}, with the open lock and log
    host -> owner   {"ready": true, "seconds": 6.1} once, then {"pid": 4711} for each
"""

from __future__ import annotations

import argparse
import array
import gc
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from trainers.job import carry_out
from trainers.resources import set_threads
from trainers.watch import leave

PRELOADED = (
    "torch",
    "transformers:AutoModelForCausalLM",
    "transformers:AutoModelForSequenceClassification",
    "transformers:AutoTokenizer",
    "peft",
    "datasets",
    "trl:SFTTrainer",
    "trl:RewardTrainer",
    "trl:DPOTrainer",
    "trl:GRPOTrainer",
    "trl:RLOOTrainer",
)
"""Modules, and names in them that are only loaded when they are asked for."""
LARGEST = 1 << 16
TASKS = Path("/proc/self/task")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m trainers.host", description=__doc__)
    parser.add_argument("--channel", type=int, required=True, help="the socket to its owner")
    parser.add_argument("--preload", nargs="*", default=PRELOADED, help="what to load before")
    asked = parser.parse_args()
    with socket.socket(fileno=asked.channel) as channel:
        channel.set_inheritable(False)
        serve(channel, asked.preload)


def serve(channel: socket.socket, preload: Sequence[str]) -> None:
    """Load, say so, and fork until the owner is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner, who then goes
    began = time.monotonic()
    set_threads(1)
    load(preload)
    if (threads := _threads()) > 1:
        _tell(channel, {"ready": False, "why": f"{threads} threads run, and a fork keeps one"})
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries jobs that have ended
    gc.collect()
    gc.freeze()  # else the collector of each job would copy every page of what is loaded
    _tell(channel, {"ready": True, "seconds": round(time.monotonic() - began, 3)})
    while (heard := _hear(channel)) is not None:
        asked, handles = heard
        try:
            pid = os.fork()
        except OSError as error:
            _tell(channel, {"error": str(error)})
        else:
            if pid == 0:
                _carry_out(channel, asked, handles)
            _tell(channel, {"pid": pid})
        for handle in handles:
            os.close(handle)


def load(names: Sequence[str]) -> None:
    """Import modules, and names in them."""
    for name in names:
        module, _, attribute = name.partition(":")
        found = import_module(module)
        if attribute:
            getattr(found, attribute)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)


def _carry_out(channel: socket.socket, asked: dict[str, Any], handles: Sequence[int]) -> None:
    """The rest of the life of the forked process; it never returns."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        channel.close()
        lock, log = handles
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.close(log)
        code, _ = carry_out(Path(asked["spec"]), lock, asked["deserted"])
    except BaseException:  # nothing may find its way back into the host
        traceback.print_exc()
    finally:
        leave(code)


def _hear(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """One request with its two files, or None where there is no owner any more."""
    text, handles = b"", array.array("i")
    while not text.endswith(b"\n"):
        try:
            said, beside, _, _ = channel.recvmsg(LARGEST, socket.CMSG_SPACE(2 * handles.itemsize))
        except ConnectionError:
            return None
        if not said:
            return None
        for level, kind, data in beside:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                handles.frombytes(data[: len(data) - len(data) % handles.itemsize])
        text += said
    return json.loads(text), list(handles)


def _tell(channel: socket.socket, what: dict[str, Any]) -> None:
    try:
        channel.sendall(json.dumps(what).encode() + b"\n")
    except ConnectionError:  # the owner is gone; the next look at it says so
        return


def _threads() -> int:
    """Of the kernel's count: libraries begin threads that Python does not know."""
    try:
        return len(list(TASKS.iterdir()))
    except OSError:
        return 1


if __name__ == "__main__":
    main()
