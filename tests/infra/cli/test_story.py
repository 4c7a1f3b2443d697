"""What the demo says of a step: all that is known of it, in one line that does not wrap."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra.cli.gist import LONGEST, gist
from infra.cli.story import Story, step
from pipelines.forecast import Forecast

SRL = {
    "job": "srl", "step": 22, "of": 80, "left": 71.2, "loss": 0.0049, "similarity": 0.845,
    "kl": 0.0399, "entropy": 0.131, "tokens_per_second": 1871.4, "grad_norm": 0.8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("says", "line"),
    [
        (
            SRL,
            "srl step 22 of 80, 1 min 11 s left  loss 0.0049  reward 0.845  KL 0.0399"
            "  entropy 0.131  1,871 tokens/s",
        ),
        ({"job": "measure"}, "measuring"),
        ({"job": "begin", "step": 3, "of": 150}, "the base is made, step 3 of 150"),
        ({"source": "synthetic", "rows": 120, "of": 250}, "synthetic 120 of 250 rows"),
        ({"job": "sft", "step": 3, "loss": 2.0, "kl": None}, "sft step 3  loss 2"),
        ({}, ""),
    ],
)
def test_a_step_is_told_in_a_line(says: dict[str, Any], line: str) -> None:
    assert step(says) == line


def test_on_a_terminal_the_line_moves_and_does_not_wrap(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    story = Story()
    story.expect(Forecast(60, 90, 120, 4))
    story.progress(SRL)
    told, moving = capsys.readouterr().err.split("\n")
    assert "time left: about 1 min 30 s (1 min to 2 min, by 4 earlier runs like it)" in told
    assert moving.endswith("\r")
    assert len(re.sub(r"\x1b\[2K|\r", "", moving)) == 59


def test_without_a_terminal_few_lines_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    story = Story()
    for _ in range(20):
        story.progress(SRL)
    assert capsys.readouterr().err.count("step 22 of 80") == 1


def test_the_gist_of_an_event_is_its_stage_and_its_reason() -> None:
    said = {"run": "r", "stage": "srl", "attempt": 2, "verdict": "fail", "reason": "kl\n is above"}
    assert gist(said) == "srl, attempt 2: fail: kl is above"
    assert gist({"reason": "x" * 500}).endswith("...")
    assert len(gist({"reason": "x" * 500})) == LONGEST
    assert gist({"key": "run/7"}) == ""


def test_a_gist_has_the_figures_and_the_changes() -> None:
    kl = {"metric": "kl", "side": "at_most", "bound": 0.1, "value": 0.05, "low": 0.04, "high": 0.06}
    rows = {"metric": "rows", "side": "at_least", "bound": 9, "value": None, "low": None}
    passed = {"stage": "srl", "attempt": 1, "verdict": "pass", "checks": [kl, rows, "x", {}]}
    assert gist(passed) == "srl: pass: kl 0.05 (0.04 to 0.06) <= 0.1, rows not measured >= 9"
    half = {"stage": "srl", "setting": "learning_rate", "how": "times", "by": 0.5}
    remedy = {"stage": "srl", "remedy": "slower", "symptom": "kl above", "back_to": "srl"}
    told = "srl: slower: for kl above, learning_rate x 0.5, on from srl"
    assert gist({**remedy, "changes": [half]}) == told
    assert gist({"pipeline": "dpo", "base": "tiny", "role": "r"}) == "dpo from tiny, role r"
    for rubbish in ({"checks": 3}, {"remedy": "r", "changes": [1]}, {"checks": [{"bound": "x"}]}):
        assert isinstance(gist(rubbish), str)
