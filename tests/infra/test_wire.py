"""The wire of an owner: which server it takes, and what is said where there is none."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from infra import wire
from infra.home import Home
from infra.settings import Nats


def test_without_any_server_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wire, "chosen", lambda _configured: None)
    caplog.set_level(logging.INFO)
    assert wire.wired(Home(tmp_path), Nats(), "token") is None
    assert len(caplog.records) == 1
    assert "no nats-server" in caplog.text


def test_where_none_is_wanted_nothing_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert wire.wired(Home(tmp_path), Nats(server="none"), "token") is None
    assert not caplog.records


async def test_a_configured_server_is_taken_before_any_other(tmp_path: Path) -> None:
    made = wire.wired(Home(tmp_path), Nats(url="nats://u:p@host:4222", server="/none"), "token")
    assert made is not None
    assert made.server is None
    assert made.link.shown == "nats://host:4222"
    assert not (tmp_path / "nats").exists()
    await made.close()
