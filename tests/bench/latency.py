"""From an HTTP request to the agent's decision in the log, of a real `ratchet up`, warm.

The caller notes the time before it sends a `TrainingRequested`; a listener on `/events/tail` notes
when the trainer's answer to it arrives. So a connection, the answer's way back and the listening
are counted too: what the server alone takes is less.
"""

from __future__ import annotations

import json
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

from tests.bench.results import Goal, Result, percentile
from tests.bench.rounds import disk, fsync_us
from tests.infra.processes import Running, up

PROFILE = {"name": "support", "purpose": "measures", "model_type": "support_replies"}
WANTED = {"role": "support", "pipeline": "dpo", "base": "tiny"}
CALLERS = 8


class Listener(threading.Thread):
    """Notes when each answer of the trainer arrived, by the id of its cause."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.arrived: dict[str, float] = {}
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.request("GET", "/events/tail")
        self._answer = self._connection.getresponse()

    def run(self) -> None:
        for line in self._answer:
            now = time.perf_counter()
            if line.startswith(b"data: ") and b'"agent:trainer"' in line:
                self.arrived.setdefault(json.loads(line[6:])["cause_id"], now)

    def wait_for(self, ids: list[str]) -> None:
        ends = time.monotonic() + 30
        while not all(one in self.arrived for one in ids):
            if time.monotonic() > ends:
                raise TimeoutError("some requests were never answered")
            time.sleep(0.01)


def called(port: int, count: int, pause: float, sent: dict[str, float]) -> None:
    """One caller on one connection, one request after the other, `pause` seconds between them."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(count):
        time.sleep(pause)
        event_id = str(uuid4())
        body = json.dumps({"type": "TrainingRequested", "data": WANTED, "id": event_id})
        sent[event_id] = time.perf_counter()
        connection.request("POST", "/events", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 201, answer.read()
        answer.read()
    connection.close()


def millis(
    running: Running, listener: Listener, count: int, callers: int = 1, pause: float = 0.0
) -> list[float]:
    """Milliseconds from each request to the answer in the log."""
    sent: dict[str, float] = {}
    threads = [
        threading.Thread(target=called, args=(running.port, count // callers, pause, sent))
        for _ in range(callers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listener.wait_for(list(sent))
    return [(listener.arrived[one] - begun) * 1000 for one, begun in sent.items()]


def prepared(folder: Path, running: Running) -> Listener:
    """A role that trainings may be asked for, and no workers that would disturb."""
    role = {"role": "support", "profile": PROFILE}
    policy = {"policy": {"agent": "trainer", "open_runs_per_role": 1000}}
    for kind, data in (("RoleDefined", role), ("PolicyAdopted", policy)):
        told = running.ask("POST", "/events", {"type": kind, "data": data})
        assert told.status == 201, (folder, told)
    listener = Listener(running.port)
    listener.start()
    return listener


def measure(short: bool) -> Result:
    count = 200 if short else 480
    with disk() as folder, up(folder / "home", RATCHET__WORKERS__SLOTS="0") as running:
        listener = prepared(folder, running)
        millis(running, listener, 50)
        figures = {
            "one caller": millis(running, listener, count),
            "8 at 100/s": millis(running, listener, count, CALLERS, CALLERS / 100),
        }
        full = millis(running, listener, count, CALLERS)
        notes = {
            "fsync_us": fsync_us(folder),
            "8 callers without a pause, p50 and p99 in ms": [
                round(percentile(full, share), 1) for share in (0.5, 0.99)
            ],
        }
    goals = [
        Goal(f"{side}, {name}", percentile(row, share), bound, at_least=False)
        for side, row in figures.items()
        for name, share, bound in (("p50 in ms", 0.5, 10), ("p99 in ms", 0.99, 40))
    ]
    sides = dict.fromkeys(
        figures,
        "a `ratchet up` on SQLite (FULL), scheduler and trainer, no workers; a caller in "
        "Python's http.client on the same two cores",
    )
    return Result(
        "from an HTTP request to the agent's decision, seen by a listener", "ms", sides,
        figures, goals, notes,
    )  # fmt: skip
