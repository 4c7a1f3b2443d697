"""How long a run takes is said from what runs like it took, and not before there are three."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.envelope import format_time
from pipelines.forecast import Forecast, quantile, remaining, said, told, whole

BEGIN = datetime(2026, 11, 21, tzinfo=UTC)


def run(name: str, *seconds: float, **more: Any) -> dict[str, Any]:
    """A run whose stages took so long, one behind the other."""
    at, stages = BEGIN, []
    for place, took in enumerate(seconds):
        stages.append({"name": f"stage{place}", "asked_at": format_time(at)})
        at += timedelta(seconds=took)
    row = {
        "run": name, "pipeline": "dpo", "model_type": "support_replies", "base": "tiny",
        "status": "completed", "started_at": format_time(BEGIN), "ended_at": format_time(at),
        "stages": stages,
    }  # fmt: skip
    return row | more


def test_nothing_is_said_of_fewer_than_three_runs() -> None:
    mine = run("mine", 1, ended_at=None, status="running")
    some = [run("a", 10, 20), run("b", 20, 30)]
    assert whole(mine, some) is None
    assert whole(mine, [*some, run("c", 30, 40)]) == Forecast(34, 50, 66, 3)
    assert "fewer than 3 runs" in said(None)


@pytest.mark.parametrize(
    "other",
    [{"pipeline": "srf"}, {"model_type": "x"}, {"base": "/models/m"}, {"status": "abandoned"}],
)
def test_only_runs_like_it_that_came_through_count(other: dict[str, Any]) -> None:
    mine = run("mine", 1, ended_at=None, status="running")
    rows = [run("a", 10), run("b", 10), run("c", 10, **other), {**mine, "status": "completed"}]
    assert whole(mine, rows) is None


def test_what_is_left_is_counted_from_the_stage_it_has_come_to() -> None:
    mine = run("mine", 100, 0, ended_at=None, status="running")
    mine["stages"].append({"name": "stage2", "asked_at": None})
    rows = [run(name, 10, 20, last) for name, last in (("a", 30), ("b", 40), ("c", 50))]
    now = BEGIN + timedelta(seconds=105)  # five seconds into its second stage
    found = remaining(mine, rows, now)
    assert found is not None
    assert (found.middle, found.n) == (55, 3)
    long_after = remaining(mine, rows, now + timedelta(hours=1))
    assert long_after == Forecast(0, 0, 0, 3)
    assert remaining(run("ended", 5), rows, now) is None


def test_quantiles_lie_between_the_values() -> None:
    assert [quantile([4, 1, 3, 2], share) for share in (0, 0.5, 1)] == [1, 2.5, 4]
    assert quantile([7.0], 0.9) == 7


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.6, "1 min"), (190, "3 min 10 s"), (7500, "2 h 5 min"), (7200, "2 h")],
)
def test_times_are_said_as_people_do(seconds: float, words: str) -> None:
    assert told(seconds) == words
    assert words in said(Forecast(seconds, seconds, seconds, 4))
