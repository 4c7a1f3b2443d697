"""`ratchet up` on a disk that fills up: what is acknowledged is kept, and it recovers by itself."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.infra.processes import Running, ratchet, up

pytestmark = pytest.mark.real

MESSAGE = {
    "type": "HoldRequested",
    "data": {"run": "7f3a", "reason": "a long reason " * 60},
}


def filled(running: Running) -> tuple[list[str], Any]:
    """Publish until there is no room; the ids that were acknowledged, and the refusal."""
    acknowledged: list[str] = []
    for _ in range(20_000):
        told = running.ask("POST", "/events", MESSAGE)
        if told.status != 201:
            return acknowledged, told
        acknowledged.append(told.body["event_id"])
    raise AssertionError("there was room without end")


def within(seconds: float, running: Running, path: str, status: int) -> Any:
    ends = time.monotonic() + seconds
    while True:
        told = running.ask("GET", path)
        if told.status == status or time.monotonic() > ends:
            assert told.status == status, told
            return told.body
        time.sleep(0.1)


def test_a_log_that_may_not_grow_says_so_and_goes_on_when_it_may(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as running:
        pid = running.process.pid
        free = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (300_000, free[1]))
        acknowledged, refusal = filled(running)
        assert refusal.status == 507, refusal
        assert set(refusal.body["error"]) == {"what", "where", "right"}
        assert "log" in within(5, running, "/readyz", 503)["troubles"]
        assert running.ask("GET", "/healthz").status == 200
        assert running.ask("GET", "/events?limit=1").status == 200
        resource.prlimit(pid, resource.RLIMIT_FSIZE, free)
        within(15, running, "/readyz", 200)
        told = running.ask("POST", "/events", MESSAGE)
        assert told.status == 201
        acknowledged.append(told.body["event_id"])
    assert "Traceback" not in running.err
    known = [one["event_id"] for one in listed(home) if one["type"] == "HoldRequested"]
    assert known == acknowledged


@contextmanager
def small_disk(folder: Path, options: str = "size=2m") -> Iterator[Path]:
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "ratchet-test", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")
def test_a_full_disk_is_told_and_with_room_it_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        home, ballast = disk / "home", disk / "ballast"
        with up(home) as running:
            # its words go to the same disk: that they cannot be written must not matter
            ballast.write_bytes(b"\0" * 600_000)
            acknowledged, refusal = filled(running)
            assert refusal.status == 507, refusal
            assert "log" in within(5, running, "/readyz", 503)["troubles"]
            for _ in range(40):  # the nats-server lives there too, and may give some room back
                ended = ratchet(home, "publish", "HoldRequested", "run=x", f"reason={'x' * 900}")
                if ended.code:
                    break
            assert ended.code == 4, ended
            assert "Traceback" not in ended.err
            ballast.unlink()
            within(15, running, "/readyz", 200)
            told = running.ask("POST", "/events", MESSAGE)
            assert told.status == 201
            acknowledged.append(told.body["event_id"])
            running.process.terminate()
            assert running.ends(10) == 0
        known = [one["event_id"] for one in listed(home) if one["actor"] == "http"]
        assert known == acknowledged


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")
def test_a_disk_that_is_full_at_the_start_is_told_in_a_sentence(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=64k") as disk:
        (disk / "ballast").write_bytes(b"\0" * 50_000)
        ended = ratchet(disk / "home", "up", "--port", "0")
        assert ended.code == 4, ended
        assert "full" in ended.document()["error"]["what"]
        assert "Traceback" not in ended.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")
def test_a_disk_that_may_only_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        with up(disk / "home"):
            pass
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        ended = ratchet(disk / "home", "up", "--port", "0")
        assert ended.code == 4, ended
        assert "Traceback" not in ended.err


def listed(home: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = ratchet(home, "events", "list", "--limit", "99999").document()[
        "events"
    ]
    return found
