"""`ratchet events`: the catalogue, and the history in any number."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from events.catalog.agents import AgentPaused
from events.chain import Signer
from events.sql.sqlite import SqliteStore
from events.store import append
from tests.infra.cli.saying import ENVELOPE, document, refused, said
from tests.infra.processes import RATCHET, ROOT, environment


def test_the_catalogue_is_listed_and_each_type_shown(tmp_path: Path) -> None:
    listed = document(tmp_path, "events", "types")["types"]
    by_name = {row["type"]: row for row in listed}
    assert {"type", "publisher", "doc"} <= set(listed[0])
    assert by_name["TrainingRequested"]["publisher"] == "anyone"
    shown = document(tmp_path, "events", "types", "TrainingRequested")
    assert {"type", "publisher", "schema", "example"} <= set(shown)
    assert shown["schema"]["required"] == ["role", "pipeline", "base"]
    refused(said(tmp_path, "events", "types", "TrainingRequest"), 3, "'TrainingRequested'")


def test_the_whole_catalogue_is_one_schema(tmp_path: Path) -> None:
    schema = document(tmp_path, "events", "schema")
    assert schema["$schema"].endswith("2020-12/schema")
    assert len(schema["oneOf"]) == len(document(tmp_path, "events", "types")["types"])


def test_the_history_is_listed_page_by_page(history: Path) -> None:
    whole = document(history, "events", "list", "--limit", "1000000")
    assert whole["next"] is None
    assert set(whole["events"][0]) == ENVELOPE
    pages, after = [], 0
    while after is not None:
        page = document(history, "events", "list", "--limit", "5", "--after", str(after))
        pages += page["events"]
        assert page["next"] == (
            None if len(pages) == len(whole["events"]) else pages[-1]["position"]
        )
        after = page["next"]
    assert pages == whole["events"]


def test_the_history_is_listed_by_type_and_by_stream(history: Path) -> None:
    def positions(*words: str) -> list[int]:
        found = document(history, "events", "list", *words)
        return [event["position"] for event in found["events"]]

    whole = document(history, "events", "list")["events"]
    kinds = ("RoleDefined", "RunStarted")
    assert positions("--type", kinds[0], "--type", kinds[1]) == [
        event["position"] for event in whole if event["type"] in kinds
    ]
    stream = next(event["stream"] for event in whole if event["type"] == "RunStarted")
    of_run = [event["position"] for event in whole if event["stream"] == stream]
    assert positions("--stream", stream) == of_run
    assert positions("--stream", stream, "--after", str(of_run[0])) == of_run[1:]
    assert positions("--stream", stream, "--type", "RunStarted") == of_run[:1]
    refused(said(history, "events", "list", "--type", "RunStartd"), 3, "'RunStarted'")


def test_one_event_is_shown_by_position_and_by_id(history: Path) -> None:
    first = document(history, "events", "show", "1")
    assert set(first) == ENVELOPE
    assert document(history, "events", "show", first["event_id"]) == first
    for name in ("0", "-1", "99999", "9" * 30, "x", "01990000-0000-7000-8000-00000000abcd"):
        refused(said(history, "events", "show", "--", name), 3, "there is no event")


def test_any_number_is_streamed_and_a_reader_may_leave(tmp_path: Path) -> None:
    asyncio.run(_many(tmp_path, 30_000))
    listing = [*RATCHET, "--home", str(tmp_path), "events", "list", "--limit", "30000", "--json"]
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
    )
    done = subprocess.run(
        [RATCHET[0], "-c", script, *listing], cwd=ROOT, capture_output=True, check=True
    )
    assert len(json.loads(done.stdout)["events"]) == 30_000
    assert int(done.stderr) < 120_000, "kilobytes: it must not hold the log"
    piped = subprocess.Popen(listing, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert piped.stdout is not None
    assert piped.stderr is not None
    piped.stdout.read(100)
    piped.stdout.close()
    assert piped.stderr.read() == b""
    piped.stderr.close()
    assert piped.wait(60) == 0


async def _many(home: Path, count: int) -> None:
    store = SqliteStore(home / "log.db", Signer.of(home / "keys"))
    for _ in range(count // 1000):
        await append(store, *(AgentPaused(agent="trainer") for _ in range(1000)))
    await store.close()


def test_a_tail_begins_before_the_log_and_follows_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    line = [*RATCHET, "--home", str(home), "events", "tail", "--json", "--after", "0"]
    tail = subprocess.Popen(
        [*line, "--type", "AgentPaused"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_hears_ctrl_c,
    )
    try:
        lines = _lines(tail)
        time.sleep(0.5)
        document(home, "publish", "AgentPaused", "agent=trainer")
        assert next(lines)["position"] == 1
        document(home, "publish", "AgentResumed", "agent=trainer")
        document(home, "publish", "AgentPaused", "agent=scheduler")
        third = next(lines)
        assert set(third) == ENVELOPE
        assert (third["position"], third["data"]["agent"]) == (3, "scheduler")
        assert not (home / "up.json").exists()
    finally:
        tail.send_signal(signal.SIGINT)
        _, err = tail.communicate(timeout=60)
    assert (tail.returncode, err) == (0, b"")


def _hears_ctrl_c() -> None:
    """Also where these tests run in the background of a shell, which lets its jobs ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _lines(process: subprocess.Popen[bytes]) -> Iterator[Any]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)
