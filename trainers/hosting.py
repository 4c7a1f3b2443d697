"""The owner's side of a preloaded job host: started, asked, started anew when it was killed."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from trainers.host import PRELOADED

ANSWER = 10.0
"""Seconds in which a host that is ready has forked."""
LOADS = 120.0
"""Seconds after which a host that still loads is given up."""
AGAIN = 5
"""Hosts in a row that end before they are ready; then jobs go without."""
QUIET = (
    "CUDA_VISIBLE_DEVICES=",  # CUDA does not survive a fork
    "OMP_NUM_THREADS=1",
    "OPENBLAS_NUM_THREADS=1",
    "MKL_NUM_THREADS=1",
    "TOKENIZERS_PARALLELISM=false",
    "JE_ARROW_MALLOC_CONF=background_thread:false",
    "PYTHONHASHSEED=0",
)
"""What keeps libraries from beginning threads when they are loaded."""

Health = Literal["loading", "ready", "none"]


class Host:
    """One host, or the next one."""

    def __init__(self, preload: Sequence[str] = PRELOADED, log: Path | None = None) -> None:
        self.failure = ""
        self.load_seconds = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self._preload = tuple(preload)
        self._log = log
        self._channel: socket.socket | None = None
        self._ready = False
        self._useless = False
        self._failed = 0
        self._since = 0.0
        self._heard = b""

    def health(self) -> Health:
        """Whether it can be asked. One that is not there is started; that takes some seconds."""
        if self._useless:
            return "none"
        if self.process is None or self.process.poll() is not None:
            self._restart()
            return "none" if self._useless else "loading"
        if not self._ready:
            self._listen()
        if self._useless:
            return "none"
        return "ready" if self._ready else "loading"

    def fork(self, spec: Path, lock: int, log: int, deserted: float) -> int:
        """Have it carry out a job; the pid, or 0 where it could not."""
        if self._channel is None or not self._ready:
            return 0
        asked = json.dumps({"spec": str(spec), "deserted": deserted}).encode() + b"\n"
        try:
            self._channel.settimeout(ANSWER)
            socket.send_fds(self._channel, [asked], [lock, log])
            answer = self._line()
        except OSError:
            answer = {}
        if "pid" not in answer:  # nobody knows what it does now
            self.failure = str(answer.get("error", "the job host did not answer"))
            self.close()
        return int(answer.get("pid", 0))

    def close(self) -> None:
        """Let go of it; its jobs go on."""
        if self._channel is not None:
            self._channel.close()
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.0 if not self._ready else 2.0)
            self.process.kill()
            self.process.wait()
        self.process, self._channel, self._ready = None, None, False

    def _restart(self) -> None:
        if self.process is not None:
            if not self._ready:
                self._failed += 1
            self.failure = f"the job host ended with {self.process.returncode}"
            self.close()
        if self._failed >= AGAIN:
            self._useless = True
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        said = subprocess.DEVNULL if self._log is None else self._log.open("ab")
        try:
            self.process = subprocess.Popen(
                [
                    *("env", *QUIET, sys.executable, "-m", "trainers.host"),
                    *("--channel", str(theirs.fileno()), "--preload", *self._preload),
                ],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        finally:
            theirs.close()
            if not isinstance(said, int):
                said.close()
        self._channel, self._ready, self._heard = ours, False, b""
        self._since = time.monotonic()

    def _listen(self) -> None:
        assert self._channel is not None
        self._channel.settimeout(0.001)
        try:
            answer = self._line()
        except TimeoutError:
            if time.monotonic() - self._since > LOADS:
                self._useless, self.failure = True, f"the job host still loads after {LOADS:g} s"
                self.close()
            return
        except OSError:
            return
        self._ready = bool(answer.get("ready"))
        if self._ready:
            self.load_seconds, self._failed, self.failure = float(answer["seconds"]), 0, ""
        elif answer:
            self._useless, self.failure = True, str(answer.get("why", ""))
            self.close()

    def _line(self) -> dict[str, Any]:
        """The next line that it says; nothing where it is gone."""
        assert self._channel is not None
        while b"\n" not in self._heard:
            said = self._channel.recv(1 << 16)
            if not said:
                return {}
            self._heard += said
        line, _, self._heard = self._heard.partition(b"\n")
        found = json.loads(line)
        return found if isinstance(found, dict) else {}
