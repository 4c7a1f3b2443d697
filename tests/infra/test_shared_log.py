"""Many homes on one log in Postgres: moved there, shared by owners, and gone for a while."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from agents.shell import LEASE
from events.ids import new_id
from tests.events.server import PostgresServer
from tests.infra.processes import Running, noted, ratchet, start, up

pytestmark = pytest.mark.real

SECRET = "s3cr3t-Word"
WORDS = ("publish", "TrainingRequested", "role=support", "pipeline=rehearsal", "base=tiny")


@pytest.fixture(scope="module")
def frail() -> Iterator[PostgresServer]:
    """A server that these tests may kill."""
    server = PostgresServer(durable=True)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def shared(frail: PostgresServer) -> dict[str, str]:
    """The settings of every home."""
    url = frail.database().replace(":secret@", f":{SECRET}@")
    return {"RATCHET__STORE__URL": url, "RATCHET__NATS__SERVER": "none"}


def history(home: Path, settings: dict[str, str]) -> list[dict[str, Any]]:
    told = ratchet(home, "events", "list", "--limit", "9999", **settings)
    assert told.code == 0, told
    found: list[dict[str, Any]] = told.document()["events"]
    return found


def beside(home: Path, name: str) -> Path:
    """Another home of the same log: it has the same keys."""
    other = home.parent / name
    shutil.copytree(home / "keys", other / "keys")
    return other


def published(running: Running) -> int:
    told = running.ask("POST", "/events", {"type": "TrainingRequested", "data": TRAINING})
    return told.status


TRAINING = {"role": "support", "pipeline": "rehearsal", "base": "tiny"}


def test_a_home_moves_and_says_where_its_log_went(tmp_path: Path, shared: dict[str, str]) -> None:
    home, url = tmp_path / "home", shared["RATCHET__STORE__URL"]
    here = {"RATCHET__NATS__SERVER": "none"}
    with up(home, **here) as running:
        assert ratchet(home, *WORDS, "--wait", "60", **here).code == 1
        busy = ratchet(home, "move", "--to", url, **here)
        assert (busy.code, f"process {running.note['pid']} owns this home" in busy.err) == (4, True)
    log, head = history(home, here), ratchet(home, "audit", **here).document()
    two = ratchet(home, "events", "list", **shared)
    assert ratchet(home, *WORDS, **shared).code == 4
    assert two.code == 0
    moved = ratchet(home, "move", "--to", url, **here)
    assert moved.code == 0, moved
    assert moved.document()["copied"] is True
    assert moved.document()["position"] == len(log)
    again = ratchet(home, "move", **shared)
    assert again.document() == moved.document() | {"copied": False}
    for words in (("up", "--port", "0"), ("events", "list"), WORDS):
        lost = ratchet(home, *words, **here)
        assert lost.code == 4, lost
        assert f"was moved to {moved.document()['to']}" in lost.err
    assert history(home, shared) == log
    audited = ratchet(home, "audit", **shared)
    assert audited.code == 0, audited
    assert audited.document()["head"] == head["head"]
    with up(home, **shared):
        assert ratchet(home, *WORDS, "--wait", "60", **shared).code == 1
    assert len(history(home, shared)) > len(log)
    shown = ratchet(home, "config", "show", **shared)
    said = [shown, moved, again, lost, audited, busy]
    assert SECRET not in "".join(one.out + one.err for one in said)
    assert SECRET not in json.dumps(history(home, shared))


def test_keys_of_another_home_are_refused_in_one_sentence(
    tmp_path: Path, shared: dict[str, str]
) -> None:
    assert ratchet(tmp_path / "one", *WORDS, **shared).code == 0
    told = ratchet(tmp_path / "two", "up", "--port", "0", **shared)
    assert told.code != 0
    assert "signed by the key of another home" in told.err
    assert "Traceback" not in told.err


def test_who_starts_before_the_database_waits_and_one_that_vanishes_is_waited_for(
    tmp_path: Path, frail: PostgresServer, shared: dict[str, str]
) -> None:
    home = tmp_path / "home"
    frail.stop()
    try:
        process, said = start(home, "--port", "0", **shared)
        ends = time.monotonic() + 60
        while "waiting for the log" not in said.with_suffix(".err").read_text():
            assert time.monotonic() < ends
            time.sleep(0.05)
        assert process.poll() is None
    finally:
        frail.start()
    try:
        running = Running(process, home, noted(home, process), said)
        assert published(running) == 201
        frail.stop()
        time.sleep(1.5)
        assert published(running) == 503
        assert running.ask("GET", "/healthz").status == 200
        frail.start()
        ends = time.monotonic() + 60
        while published(running) != 201:
            assert time.monotonic() < ends
            time.sleep(0.1)
        while not answered(history(home, shared)):
            assert time.monotonic() < ends
            time.sleep(0.1)
        assert running.ask("GET", "/readyz").status == 200
    finally:
        process.terminate()
        code = process.wait(60)
    assert code == 0
    assert "waiting for the log" in running.err
    assert "cannot be reached" in running.err
    for never in ("Traceback", SECRET, "stands still"):
        assert never not in running.err + running.out
    assert len(running.err.splitlines()) < 60


def answered(log: list[dict[str, Any]]) -> bool:
    """Every request once, and nothing twice."""
    requests = [one["event_id"] for one in log if one["type"] == "TrainingRequested"]
    answers = Counter(one["cause_id"] for one in log if one["type"] == "TrainingRejected")
    assert max(answers.values(), default=0) <= 1
    return sorted(answers) == sorted(requests)


class Publisher:
    """Says one request after the other to one owner, each until it is acknowledged."""

    def __init__(self, owner: Running, stop: Event) -> None:
        self._owner, self._enough = owner, stop
        self.acknowledged: list[str] = []
        self.refused: list[str] = []

    def run(self) -> None:
        while not self._enough.is_set():
            one = new_id()
            said = {"type": "TrainingRequested", "data": TRAINING, "id": one}
            while (told := self._owner.ask("POST", "/events", said)).status == 503:
                self.refused.append(told.body["error"]["what"])
                time.sleep(0.05)
            assert told.status in (200, 201), told
            self.acknowledged.append(one)


def test_a_database_that_crashes_while_two_owners_publish_loses_and_doubles_nothing(
    tmp_path: Path, frail: PostgresServer, shared: dict[str, str]
) -> None:
    first, stop = tmp_path / "home0", Event()
    with up(first, **shared) as a, up(beside(first, "home1"), **shared) as b:
        publishers = [Publisher(owner, stop) for owner in (a, b, a, b)]
        threads = [Thread(target=publisher.run) for publisher in publishers]
        for thread in threads:
            thread.start()
        try:
            for _ in range(2):
                time.sleep(0.8)
                frail.restart(signal.SIGQUIT)
            time.sleep(0.8)
            until(lambda: all(len(one.acknowledged) > 3 for one in publishers), 60)
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)
        until(lambda: answered(history(first, shared)), 60 + LEASE)
        for owner in (a, b):
            until(partial(ready, owner), 60)
            assert owner.process.poll() is None
            for never in ("Traceback", SECRET, "stands still"):
                assert never not in owner.err + owner.out
            assert len(owner.err.splitlines()) < 60
    log = history(first, shared)
    said = [one for publisher in publishers for one in publisher.acknowledged]
    assert sorted(said) == sorted(e["event_id"] for e in log if e["type"] == "TrainingRequested")
    assert [one["position"] for one in log] == list(range(1, len(log) + 1))
    assert all(len(publisher.acknowledged) > 3 for publisher in publishers)
    refused = [what for publisher in publishers for what in publisher.refused]
    assert refused
    assert {what for what in refused if "cannot be reached" not in what} == set()
    assert ratchet(first, "audit", **shared).code == 0


def four_owners(tmp_path: Path, shared: dict[str, str], end: signal.Signals) -> None:
    """Four owners publish, answer and tick on one log; the one that leads them is ended."""
    first = tmp_path / "home0"
    told = ratchet(
        first, "schedules", "add", "often", "--every", "1s", "--misfire", "all", **shared
    )
    assert told.code == 0, told
    with ExitStack() as stack:
        owners = [stack.enter_context(up(first, **shared))]
        until(lambda: ticked(history(first, shared)), 60)  # it leads: the others come later
        others = [beside(first, f"home{number}") for number in range(1, 4)]
        owners.extend(stack.enter_context(up(home, **shared)) for home in others)
        for owner in owners:
            assert published(owner) == 201
        until(lambda: answered(history(first, shared)), 60)
        before = len(ticked(history(first, shared)))
        owners[0].signal(end)
        owners[0].ends()
        assert published(owners[1]) == 201
        until(
            lambda: len(ticked(log := history(first, shared))) > before + 2 and answered(log),
            25 + (LEASE if end == signal.SIGKILL else 0),
        )
        for owner in owners[1:]:
            assert owner.ask("GET", "/readyz").status == 200
            assert "Traceback" not in owner.err, owner.err
            assert "stands still" not in owner.err, owner.err
    slots = ticked(history(first, shared))
    assert len(set(slots)) == len(slots)
    times = [datetime.fromisoformat(slot) for slot in slots]
    assert {(b - a).total_seconds() for a, b in pairwise(times)} == {1.0}
    assert answered(history(first, shared))


def test_four_owners_answer_each_request_and_tick_each_slot_once(
    tmp_path: Path, shared: dict[str, str]
) -> None:
    four_owners(tmp_path, shared, signal.SIGTERM)


@pytest.mark.proof
def test_when_the_leader_is_killed_the_others_go_on_once_its_lease_has_run_out(
    tmp_path: Path, shared: dict[str, str]
) -> None:
    four_owners(tmp_path, shared, signal.SIGKILL)


def ready(owner: Running) -> bool:
    return owner.ask("GET", "/readyz").status == 200


def until(met: Callable[[], object], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < ends, "it takes too long"
        time.sleep(0.2)


def ticked(log: list[dict[str, Any]]) -> list[str]:
    return [e["data"]["scheduled_for"] for e in log if e["type"] == "ScheduleTicked"]
