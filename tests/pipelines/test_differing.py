"""Two models beside each other: only what their intervals keep apart surely differs."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.differing import apart, differing


def figure(low: float, high: float) -> dict[str, Any]:
    return {"value": (low + high) / 2, "low": low, "high": high, "n": 100}


def model(name: str, **more: Any) -> dict[str, Any]:
    return {"model": name, "sha256": name, "status": "standing", "verifications": [], **more}


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        (figure(0.1, 0.2), figure(0.3, 0.4), "higher"),
        (figure(0.3, 0.4), figure(0.1, 0.2), "lower"),
        (figure(0.1, 0.3), figure(0.3, 0.4), "not surely another"),
        (figure(0.5, 0.5), figure(0.5, 0.5), "not surely another"),
        (None, figure(0.3, 0.4), "only one"),
    ],
)
def test_a_figure_is_another_where_its_interval_is(one: Any, other: Any, says: str) -> None:
    assert apart(one, other) == says


def test_the_newest_score_of_each_suite_counts() -> None:
    looks = [{"suites": {"fixed": figure(0.1, 0.2)}}, {"suites": {"fixed": figure(0.5, 0.6)}}]
    found = differing(
        model("a", verifications=looks),
        model("b", verifications=looks[:1], metrics={"kl": figure(0, 1)}),
    )
    (fixed,) = found["suites"]
    assert (fixed["other_is"], fixed["one"]["low"]) == ("lower", 0.5)
    assert found["figures"][0]["other_is"] == "only one"


def test_a_model_that_was_brought_along_has_nothing_to_compare_but_what_it_is() -> None:
    found = differing(model("a", status="added", size=3), model("b", base={"name": "a"}, size=3))
    assert {one["what"] for one in found["facts"]} == {"status", "base"}
    assert found["figures"] == found["suites"] == []
