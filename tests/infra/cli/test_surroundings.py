"""`init`, `config` and `doctor`: what lies around a log."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from events.catalog.agents import AgentPaused
from events.chain import Signer
from events.memory import utc_now
from events.sql.sqlite import SqliteStore
from events.store import append
from infra.cli.init import settings_file
from infra.settings import Settings
from tests.infra.cli.saying import document, refused, said


def test_init_writes_files_that_work_and_never_overwrites(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = document(home, "init", cwd=tmp_path)
    assert first == {
        "written": ["ratchet.yaml", "roles/sentiment.yaml", "roles/support.yaml"],
        "kept": [],
    }
    (tmp_path / "ratchet.yaml").write_text("log: {level: error}\n")
    (tmp_path / "roles" / "support.yaml").unlink()
    assert document(home, "init", cwd=tmp_path) == {
        "written": ["roles/support.yaml"],
        "kept": ["ratchet.yaml", "roles/sentiment.yaml"],
    }
    assert (tmp_path / "ratchet.yaml").read_text() == "log: {level: error}\n"
    assert not home.exists()
    applied = document(home, "roles", "apply", "roles/", cwd=tmp_path)["applied"]
    assert [row["role"] for row in applied] == ["sentiment", "support"]


def test_the_file_of_settings_has_them_all_and_sets_none(tmp_path: Path) -> None:
    document(tmp_path, "init", cwd=tmp_path)
    shown = document(tmp_path, "config", "show", cwd=tmp_path)["settings"]
    assert not [row for row in shown if "ratchet.yaml" in row["origin"]]
    bare = "\n".join(
        line.replace("# ", "", 1) if ": " in line and "  # " in line else line
        for line in settings_file().splitlines()
        if not line.endswith(".")
    )
    assert Settings.model_validate(yaml.safe_load(bare)) == Settings()


def test_the_origin_of_every_setting_is_told(tmp_path: Path) -> None:
    (tmp_path / "ratchet.yaml").write_text("api:\n  port: 9000\nlog:\n")
    shown = document(tmp_path, "config", "show", cwd=tmp_path)["settings"]
    rows = {row["key"]: row for row in shown}
    assert all(set(row) == {"key", "value", "origin"} for row in shown)
    assert (rows["api.port"]["value"], rows["api.port"]["origin"]) == (
        9000,
        str(tmp_path / "ratchet.yaml"),
    )
    assert rows["workers.pretend_seconds"]["origin"] == (
        "environment RATCHET__WORKERS__PRETEND_SECONDS"
    )
    assert rows["log.level"]["origin"] == "default"


WRONG = {
    "api:\n  prot: 1\n": ("there is no setting 'api.prot'", "did you mean 'api.port'?"),
    "api:\n  port: many\n": ("'port' may not be 'many'", "ratchet.yaml"),
    "api: [": ("cannot be read",),
    "- api\n": ("no mapping of settings",),
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_settings_are_refused_with_their_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "ratchet.yaml").write_text(text)
    refused(said(tmp_path, "config", "show", cwd=tmp_path), 2, *WRONG[text])


CHECKS = {
    "python",
    "settings",
    "home",
    "disk",
    "log",
    "keys",
    "clock",
    "owner",
    "nats",
    "torch",
    "embedder",
}


def test_a_doctor_finds_a_healthy_home_healthy(history: Path, tmp_path: Path) -> None:
    for home in (history, tmp_path / "none yet"):
        report = document(home, "doctor")
        assert report["ok"] is True
        assert {check["name"] for check in report["checks"]} == CHECKS
        assert all({"name", "ok", "detail", "remedy"} <= set(check) for check in report["checks"])
    assert not (tmp_path / "none yet").exists()


def test_a_doctor_says_how_to_mend_what_is_wrong(copy: Path) -> None:
    key = copy / "keys" / "head.key"
    key.chmod(0o644)
    assert failing(copy) == {"keys": f"chmod 600 {key}"}
    key.chmod(0o600)
    key.rename(copy / "elsewhere")
    assert "backup" in failing(copy)["keys"]
    (copy / "elsewhere").rename(key)
    (copy / "keys" / "head.pub").write_text("00" * 32)
    assert "head.pub" in failing(copy)["keys"]


def test_a_doctor_misses_a_log_that_was_there(copy: Path) -> None:
    for file in copy.glob("log.db*"):
        file.unlink()
    assert "backup" in failing(copy)["log"]
    report = document(copy, "audit", code=1)
    assert (report["chain"], report["broken_at"]) == ("broken", 1)


def failing(home: Path) -> dict[str, str]:
    """The remedies of the checks that fail."""
    report = document(home, "doctor", code=1)
    assert report["ok"] is False
    return {
        check["name"]: check["remedy"]
        for check in report["checks"]
        if check["needed"] and not check["ok"]
    }


def test_a_doctor_sees_a_clock_that_stands_behind(copy: Path) -> None:
    asyncio.run(_written_in_an_hour(copy))
    assert "set the clock" in failing(copy)["clock"]
    assert document(copy, "audit")["chain"] == "intact"


async def _written_in_an_hour(home: Path) -> None:
    later = utc_now() + timedelta(hours=1)
    store = SqliteStore(home / "log.db", Signer.of(home / "keys"), lambda: later)
    await append(store, AgentPaused(agent="trainer"))
    await store.close()


def test_a_doctor_reads_wrong_settings_as_a_finding(tmp_path: Path) -> None:
    (tmp_path / "ratchet.yaml").write_text("api:\n  prot: 1\n")
    ended = said(tmp_path, "doctor", "--json", cwd=tmp_path)
    assert ended.code == 1
    (found,) = [one for one in json.loads(ended.out)["checks"] if one["name"] == "settings"]
    assert found["ok"] is False
    assert found["remedy"] == "did you mean 'api.port'?"
