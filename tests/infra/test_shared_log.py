"""Many homes on one log in Postgres: moved there, shared by owners, and gone for a while."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.events.server import PostgresServer
from tests.infra.processes import Running, noted, ratchet, start, up

pytestmark = pytest.mark.real

SECRET = "s3cr3t-Word"
WORDS = ("publish", "TrainingRequested", "role=support", "pipeline=srl_rlvr", "base=tiny")


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


TRAINING = {"role": "support", "pipeline": "srl_rlvr", "base": "tiny"}


def test_a_home_moves_and_says_where_its_log_went(tmp_path: Path, shared: dict[str, str]) -> None:
    home, url = tmp_path / "home", shared["RATCHET__STORE__URL"]
    here = {"RATCHET__NATS__SERVER": "none"}
    with up(home, **here) as running:
        assert ratchet(home, *WORDS, "--wait", "20", **here).code == 1
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
        assert ratchet(home, *WORDS, "--wait", "20", **shared).code == 1
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
        time.sleep(1.5)
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
        ends = time.monotonic() + 10
        while published(running) != 201:
            assert time.monotonic() < ends
            time.sleep(0.1)
        while not answered(history(home, shared)):
            assert time.monotonic() < ends
            time.sleep(0.1)
        assert running.ask("GET", "/readyz").status == 200
    finally:
        process.terminate()
        code = process.wait(15)
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


def test_four_owners_answer_each_request_and_tick_each_slot_once(
    tmp_path: Path, shared: dict[str, str]
) -> None:
    first = tmp_path / "home0"
    told = ratchet(
        first, "schedules", "add", "often", "--every", "1s", "--misfire", "all", **shared
    )
    assert told.code == 0, told
    homes = [first, *(beside(first, f"home{n}") for n in range(1, 4))]
    with ExitStack() as stack:
        owners = [stack.enter_context(up(home, **shared)) for home in homes]
        for owner in owners:
            assert published(owner) == 201
        time.sleep(3.5)
        owners[0].process.kill()
        assert published(owners[1]) == 201
        ends = time.monotonic() + 5
        for owner in owners[1:]:
            assert owner.ask("GET", "/readyz").status == 200
            assert "Traceback" not in owner.err, owner.err
            assert "stands still" not in owner.err, owner.err
        while len(ticked(log := history(first, shared))) < 5 or not answered(log):
            assert time.monotonic() < ends + 40, "the lease of a killed leader ends after 30 s"
            time.sleep(0.2)
    slots = ticked(history(first, shared))
    assert len(set(slots)) == len(slots)
    times = [datetime.fromisoformat(slot) for slot in slots]
    assert {(b - a).total_seconds() for a, b in pairwise(times)} == {1.0}
    assert answered(history(first, shared))


def ticked(log: list[dict[str, Any]]) -> list[str]:
    return [e["data"]["scheduled_for"] for e in log if e["type"] == "ScheduleTicked"]
