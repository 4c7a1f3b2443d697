"""What a terminal shows is text: words of others do not steer it; closed streams do no harm."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from infra.cli import show
from tests.infra.cli.saying import document, refused, said
from tests.infra.processes import RATCHET, ROOT, environment

EVIL = "Wrong \x1b[31mtown\x1b[0m\x1b]0;title\x07 \x9b2J \u202eback\r\nnext"


def test_no_words_of_others_steer_the_terminal() -> None:
    shown = show.plain(EVIL)
    assert all(one.isprintable() or one == "\n" for one in shown)
    assert "\\u001b[31mtown" in shown
    assert "\nnext" in shown
    assert json.loads(show.plain(json.dumps({"a": EVIL}, ensure_ascii=False))) == {"a": EVIL}
    assert show.plain("Grüße, 東京 🐎\tok\n") == "Grüße, 東京 🐎\tok\n"


def test_a_command_shows_them_as_they_were_written(tmp_path: Path) -> None:
    document(tmp_path, "publish", "CancelRequested", "run=abcabcabcabc", f"reason={EVIL[:40]}")
    told = said(tmp_path, "why", "1").out
    assert "\\u001b[31mtown" in told
    assert "\x1b" not in told
    ended = said(tmp_path, "runs", "show", "\x1b[31mred")
    assert ended.code == 3
    assert "\x1b" not in ended.err


def test_a_line_of_a_table_stays_one_line() -> None:
    assert show.table(("a", "b"), [("one\ntwo", 3)]).splitlines()[1:] == ["one two  3"]


def test_a_table_fits_the_terminal_and_loses_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    says = "retention 0.62 (0.5 to 0.75) is below 0.95, and so it was withdrawn"
    rows = [("sums/v1", says, "2026-11-21"), ("sums/v2", "", "x" * 50)]
    told = show.table(("model", "why", "at"), rows)
    assert len(told.splitlines()) == 3
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for columns in (200, 80, 60, 20):
        monkeypatch.setenv("COLUMNS", str(columns))
        narrow = show.table(("model", "why", "at"), rows)
        assert max(map(len, narrow.splitlines())) <= max(columns, 3 * show.NARROW + 4)
        assert sorted(narrow.replace(" ", "").replace("\n", "")) == sorted(
            told.replace(" ", "").replace("\n", "")
        )
    assert show.table((), []) == ""


@pytest.mark.parametrize(("streams", "code"), [(">&-", 0), (">&- 2>&- <&-", 0), (">/dev/full", 4)])
def test_a_closed_or_full_stream_ends_no_command_badly(
    tmp_path: Path, streams: str, code: int
) -> None:
    line = f"{RATCHET[0]} -m infra.cli.main --home {tmp_path / 'home'} publish AgentPaused"
    done = subprocess.run(
        ["sh", "-c", f"{line} agent=trainer {streams}"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    (event,) = document(tmp_path / "home", "events", "list", "--type", "AgentPaused")["events"]
    assert event["data"]["agent"] == "trainer"


def test_an_error_that_nobody_can_be_told_still_has_its_code(tmp_path: Path) -> None:
    line = f"{RATCHET[0]} -m infra.cli.main --home {tmp_path} runs show nothing"
    for stream in ("2>/dev/full", "2>&-"):
        done = subprocess.run(["sh", "-c", f"{line} {stream}"], cwd=ROOT, check=False, timeout=60)
        assert done.returncode == 3, stream


def test_a_newcomer_finds_help_and_version(tmp_path: Path) -> None:
    assert said(tmp_path, "-h").out == said(tmp_path, "--help").out
    assert said(tmp_path, "runs", "-h").out.startswith("Usage: ratchet runs ")
    assert said(tmp_path, "--version").out.startswith("ratchet ")
    assert set(document(tmp_path, "--version")) == {"ratchet", "python"}
    refused(said(tmp_path, "--verison"), 2, "--version")
