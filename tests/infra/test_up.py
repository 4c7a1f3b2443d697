"""`ratchet up` as a real process: it owns a home, answers, stops politely, and survives a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.infra.processes import Running, noted, ratchet, start, up

pytestmark = pytest.mark.real

TRAINING = {"role": "support", "pipeline": "rehearsal", "base": "tiny"}
MESSAGE = {"type": "TrainingRequested", "data": TRAINING}
WORDS = ("publish", "TrainingRequested", "role=support", "pipeline=rehearsal", "base=tiny")


def history(home: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = ratchet(home, "events", "list", "--limit", "9999").document()[
        "events"
    ]
    return found


def test_it_says_one_line_answers_its_neighbours_and_stops_when_asked(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as running:
        nats = "nats://" + running.note["nats"].rpartition("@")[2]
        assert running.out == f"ratchet is up: {running.note['http']}, {nats}, home {home}\n"
        assert (home / "up.json").stat().st_mode & 0o777 == 0o600
        told = ratchet(home, *WORDS)
        assert told.code == 0, told
        ready = running.ask("GET", "/readyz")
        assert ready.status == 200, ready
        assert ready.body["position"] >= told.document()["position"]
        published = running.ask("GET", f"/events/{told.document()['event_id']}").body
        assert published["actor"] == "cli"
        running.signal(signal.SIGTERM)
        began = time.monotonic()
        assert running.ends(10) == 0
        assert time.monotonic() - began < 10
    assert not (home / "up.json").exists()
    assert "Traceback" not in running.err
    assert len(running.out.splitlines()) == 1


def test_under_json_the_line_is_a_document(tmp_path: Path) -> None:
    with up(tmp_path / "home", "--json") as running:
        document = json.loads(running.out)
        assert set(document) == {"http", "nats", "home", "pid", "position"}
        assert "@" not in document["nats"]
        assert document["pid"] == running.process.pid


def test_agents_answer_and_their_places_are_kept(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as running:
        told = ratchet(home, *WORDS, "--wait", "60")
        assert told.document()["outcome"]["type"] == "TrainingRejected", told
        running.signal(signal.SIGINT)
        assert running.ends() == 0
    before = len(history(home))
    with up(home):
        time.sleep(0.5)
    assert len(history(home)) == before


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    home = tmp_path / "home"
    acknowledged: list[str] = []
    with up(home) as running:

        def say() -> None:
            try:
                while True:
                    told = running.ask("POST", "/events", MESSAGE)
                    acknowledged.append(told.body["event_id"])
            except (OSError, ValueError):
                return

        speaking = [threading.Thread(target=say) for _ in range(4)]
        for one in speaking:
            one.start()
        time.sleep(1)
        running.signal(signal.SIGKILL)
        for one in speaking:
            one.join()
        running.ends()
    assert len(acknowledged) > 10
    assert (home / "up.json").exists()
    known = {event["event_id"] for event in history(home)}
    assert known.issuperset(acknowledged)
    with up(home) as again:
        assert again.ask("GET", "/readyz").status == 200
        assert ratchet(home, *WORDS).code == 0


def test_a_second_owner_is_told_who_has_the_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as first:
        second, said = start(home, "--port", "0")
        assert second.wait(60) == 4
        assert f"process {first.process.pid}" in said.with_suffix(".err").read_text()
        assert "Traceback" not in said.with_suffix(".err").read_text()
        assert first.ask("GET", "/healthz").status == 200


def test_a_successor_takes_over_as_soon_as_the_first_lets_go(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as first:
        second, said = start(home, "--port", "0")
        time.sleep(1.5)
        first.signal(signal.SIGTERM)
        assert first.ends() == 0
        try:
            Running(second, home, noted(home, second), said)
        finally:
            second.terminate()
        assert second.wait(30) == 0


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = ratchet(tmp_path / "home", "up", "--port", str(port))
        assert ended.code == 4
        assert f"port {port} is taken" in ended.document()["error"]["what"]
        assert "Traceback" not in ended.err


def test_the_port_that_nobody_asked_for_gives_way(tmp_path: Path) -> None:
    others = []
    with suppress(OSError):  # taken by somebody else: just as well
        others.append(socket.create_server(("127.0.0.1", 8750)))
    home = tmp_path / "home"
    process, said = start(home)
    try:
        running = Running(process, home, noted(home, process), said)
        assert running.port != 8750
        assert running.ask("GET", "/healthz").status == 200
    finally:
        process.terminate()
        assert process.wait(30) == 0
        for other in others:
            other.close()


def test_an_address_that_is_none_is_told_in_a_sentence(tmp_path: Path) -> None:
    ended = ratchet(tmp_path / "home", "up", "--host", "no.such.host.invalid", "--port", "0")
    assert ended.code == 2
    ended = ratchet(tmp_path / "home", "up", "--host", "192.0.2.1", "--port", "0")
    assert ended.code == 4
    assert "Traceback" not in ended.err


def test_beyond_loopback_only_tokens_come_in_and_the_command_line_does(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home, "--host", "0.0.0.0") as running:
        assert "ratchet tokens add" in running.err
        assert running.ask("GET", "/events").status == 401
        token = ratchet(home, "tokens", "add", "reader", "--scope", "read").document()["token"]
        assert running.ask("GET", "/events", token=token).status == 200
        assert running.ask("POST", "/events", MESSAGE, token=token).status == 403
        told = ratchet(home, *WORDS)
        assert told.code == 0, told
        actors = [one["actor"] for one in history(home) if one["type"] == "TrainingRequested"]
        assert actors == ["cli"]


def test_a_request_under_way_is_waited_for_and_a_second_signal_waits_for_nothing(
    tmp_path: Path,
) -> None:
    with up(tmp_path / "home") as running, dawdler(running):
        running.signal(signal.SIGTERM)
        time.sleep(0.5)
        assert running.process.poll() is None
        running.signal(signal.SIGTERM)
        assert running.ends(7) == 128 + signal.SIGTERM


def test_one_who_dawdles_and_one_who_listens_do_not_hold_up_the_end(tmp_path: Path) -> None:
    with up(tmp_path / "home") as running, dawdler(running) as slow, listener(running) as heard:
        assert b"200 OK" in heard.recv(1000)
        running.signal(signal.SIGTERM)
        assert running.ends(10) == 0
        assert "Traceback" not in running.err
        slow.settimeout(1)
        assert b" 503 " in slow.recv(1000)


def dawdler(running: Running) -> socket.socket:
    """Has announced a message, and does not send it."""
    made = socket.create_connection(("127.0.0.1", running.port))
    made.sendall(
        b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n"
    )
    made.settimeout(10)
    assert b" 100 " in made.recv(1000)
    return made


def listener(running: Running) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", running.port))
    made.sendall(b"GET /events/tail?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    made.settimeout(5)
    return made


def test_a_home_that_vanishes_ends_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as running:
        while home.exists():  # the nats-server may be writing just then
            shutil.rmtree(home, ignore_errors=True)
        assert running.ends() == 4
    assert "vanished" in running.err
    assert "Traceback" not in running.err
    assert not home.exists()


@pytest.mark.parametrize(
    "content", [b"this is no database" * 500, b"SQLite format 3\x00" + b"\xff" * 9000]
)
def test_a_damaged_log_is_told_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "log.db").write_bytes(content)
    ended = ratchet(home, "up", "--port", "0")
    assert ended.code == 1, ended
    assert "damaged" in ended.document()["error"]["what"]
    assert "Traceback" not in ended.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    ended = ratchet(home, "up", "--port", "0")
    assert ended.code == 4, ended
    assert "Traceback" not in ended.err
