"""A tiny model is asked three kinds of rows; our loop and EleutherAI's harness say the same."""

from __future__ import annotations

import json
import random
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.trainers.additions import TYPE, job
from tests.trainers.inside import trained
from trainers.failures import BadData, Usage

HARNESS = find_spec("lm_eval") is not None


@pytest.fixture(scope="session")
def adder(bases: Path) -> Path:
    """Right in about four of ten additions, when it takes the likeliest answer."""
    from trainers.tiny import make_tiny_base  # torch, which not every test here needs

    return make_tiny_base(TYPE, seed=0, level=0.35, folder=bases)


def rows() -> list[dict[str, Any]]:
    """What a model of sums can be asked in each of the three shapes."""
    luck, found = random.Random(0), []
    problems = TYPE.suite(3, 12)
    for one in problems:
        right = TYPE.completion(TYPE.solve(one))
        choices = [right, *(f"{right[:-5]}{luck.randrange(10_000):04};" for _ in range(3))]
        luck.shuffle(choices)
        place = choices.index(right)
        found.append({"kind": "choice", "prompt": one.prompt, "choices": choices, "answer": place})
    found += [
        {"kind": "exact", "prompt": one.prompt, "answer": str(one.answer)} for one in problems
    ]
    code = {"kind": "code", "entry_point": "f", "answer": ["assert f(1) == 2"]}
    return [*found, {**code, "prompt": "1+1#"}]


def asked(place: Path, base: Path, some: Any, **settings: Any) -> list[dict[str, Any]]:
    file = job(place, base, "harness", (), some, **settings)
    outcome = trained(file)
    return [json.loads(line) for line in (file.parent / outcome.per_item).read_text().splitlines()]


def test_every_row_is_answered_in_its_place(tmp_path: Path, adder: Path) -> None:
    found = asked(tmp_path / "one", adder, rows(), max_new=96)
    assert [one["row"] for one in found] == list(range(25))
    assert sum(one["right"] for one in found[:12]) >= 10  # a wrong sum is not likely to it
    assert 1 <= sum(one["right"] for one in found[12:24]) <= 11
    assert found[24] == {"row": 24, "score": 0.0, "right": False, "said": found[24]["said"]}


def test_a_row_of_no_kind_is_refused_with_its_line(tmp_path: Path, adder: Path) -> None:
    with pytest.raises(BadData, match="no kind"):
        asked(tmp_path / "one", adder, [{"kind": "essay", "prompt": "1+1#"}])


@pytest.mark.skipif(HARNESS, reason="the extra is installed")
def test_where_the_harness_is_not_installed_the_way_to_it_is_told(
    tmp_path: Path, adder: Path
) -> None:
    with pytest.raises(Usage, match="not installed"):
        asked(tmp_path / "one", adder, rows(), through="lm_eval")


@pytest.mark.skipif(not HARNESS, reason="the extra `harness` is not installed")
def test_the_harness_says_what_our_own_loop_says_and_asks_no_network(
    tmp_path: Path, adder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise AssertionError("something was looked for beyond this machine")

    monkeypatch.setattr(socket.socket, "connect", refused)
    ours = asked(tmp_path / "ours", adder, rows(), max_new=96)
    theirs = asked(tmp_path / "theirs", adder, rows(), max_new=96, through="lm_eval")
    assert theirs == ours
