"""Pairs that others have labelled: rows of the web, feedback, queues; and scored once more."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.data_generator.pairing.feedback import Feedback
from agents.data_generator.pairing.plan import Writers
from agents.data_generator.pairing.queues import Answered, Queues
from agents.data_generator.pairing.rescoring import Rescored
from agents.data_generator.pairing.rewards import Asked as Sides
from agents.data_generator.pairing.rewards import Rewarded
from agents.data_generator.pairing.sampling import Sampling
from agents.data_generator.pairing.sieve import PairSieve
from agents.data_generator.sources.real import Heard
from agents.data_generator.sources.source import Built, Order, SourceFailed
from agents.data_generator.sources.web import Site, Web
from events.artifacts import Artifacts
from events.catalog.reviews import Choice
from pipelines.data.rows import written
from tests.agents.data_generator.pairing.models import Desk, Models, desk, right
from tests.agents.data_generator.sources.orders import Table, order, page, problems
from trainers.model_types import model_type

SUMS = model_type("arithmetic_reasoning")
ASKED = [one.prompt for one in problems(SUMS, 30)]


def solved(prompt: str) -> str:
    (one,) = [one for one in problems(SUMS, 30) if one.prompt == prompt]
    return str(SUMS.completion(SUMS.solve(one)))


def pair(n: int, **more: Any) -> dict[str, Any]:
    return {"prompt": ASKED[n], "chosen": solved(ASKED[n]), "rejected": "= 7", **more}


def taken(*rows: Any, **how: Any) -> PairSieve:
    sieve = PairSieve(SUMS, "web", **how)
    for row in rows:
        sieve.take(row, "CC0", "a page")
    return sieve


def of_pairs(folder: Path, source: str, **asked: Any) -> Order:
    found = order(folder, source, "arithmetic_reasoning")
    return replace(found, asked=found.asked.model_copy(update={"kind": "pairs", **asked}))


def test_where_the_verifier_decides_it_says_which_is_the_better() -> None:
    turned = {"prompt": ASKED[1], "chosen": "= 7", "rejected": solved(ASKED[1])}
    tied = {"prompt": ASKED[2], "chosen": "= 7", "rejected": "= 8"}
    sieve = taken(pair(0, chosen_score=0.6, rejected_score=0.5), turned, tied)
    assert [row["gap"] for row in sieve.rows] == [1.0]
    assert sieve.provenance[0]["scorer"] == "verifier arithmetic_reasoning"
    assert sieve.rejected == {"wrong": 1, "tied": 1}


def test_where_it_does_not_decide_whoever_has_labelled_is_believed() -> None:
    free = {"prompt": "how are you ?", "chosen": "fine", "rejected": "no"}
    scored = {**free, "rejected": "go away", "gap": 0.25, "confidence": 0.5}
    sieve = taken(free, scored)
    assert [row["gap"] for row in sieve.rows] == [1.0, 0.25]
    assert [row.get("confidence") for row in sieve.rows] == [None, 0.5]
    assert {one["scorer"] for one in sieve.provenance} == {"whoever labelled it"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["no", "row"], "no-row"),
        ({"prompt": "a"}, "unfit"),
        ({"prompt": "a", "chosen": "b", "rejected": "b"}, "unfit"),
        ({"prompt": " ", "chosen": "b", "rejected": "c"}, "unfit"),
        ({"prompt": "a", "chosen": "b", "rejected": "c", "gap": 7.0}, "unfit"),
        ({"prompt": "a", "chosen": "b" * 200_000, "rejected": "c"}, "too-large"),
        ({"prompt": "a", "chosen": "b", "rejected": float("nan")}, "no-row"),
    ],
)
def test_what_is_no_pair_is_counted(row: Any, reason: str) -> None:
    assert taken(row).rejected == {reason: 1}


def test_what_evaluations_may_ask_and_what_is_personal_stays_out() -> None:
    exam = SUMS.suite(3, 1)[0].prompt
    row = {"prompt": "who is there ?", "chosen": "ann.smith@example.org", "rejected": "nobody"}
    sieve = taken({"prompt": exam, "chosen": "a", "rejected": "b"}, row, row)
    assert sieve.rejected == {"held-out": 1, "repeated": 1}
    assert "ann.smith" not in json.dumps(sieve.rows)


async def test_pages_of_the_web_may_hold_pairs(tmp_path: Path) -> None:
    body = json.dumps([pair(n) for n in range(5)])
    pages = Table({"https://a.example/p.json": page("https://a.example/p.json", body)})
    web = Web([Site("a", "https://a.example/p.json", "CC0")], pages, PairSieve)
    built = await web.build(of_pairs(tmp_path, "web", first=1, quantity=3))
    assert [row["prompt"] for row in built.rows] == ASKED[1:4]
    assert {one["licence"] for one in built.provenance} == {"CC0"}


async def heard(_role: str, _before: int) -> AsyncIterator[Heard]:
    good, bad = solved(ASKED[0]), "= 7"
    yield Heard("e1", ASKED[0], bad, good, 1)
    yield Heard("e2", "what now ?", "ask ann.smith@example.org", "", 5)
    yield Heard("e3", "what now ?", "go away", "", 2)
    yield Heard("e4", "what now ?", "go away", "", 1)
    yield Heard("e5", "only one", "answer", "", 3)


async def test_a_correction_stands_beside_what_it_corrects_and_ratings_beside_each_other(
    tmp_path: Path,
) -> None:
    built = await Feedback(heard).build(of_pairs(tmp_path, "real"))
    first, second = built.rows
    assert (first["chosen"], first["gap"]) == (solved(ASKED[0]), 1.0)
    assert (second["rejected"], second["gap"]) == ("go away", 0.875)
    assert "ann.smith" not in json.dumps(built.rows)
    assert [one["scorer"] for one in built.provenance] == [
        "verifier arithmetic_reasoning", "people",
    ]  # fmt: skip
    assert built.provenance[1]["origin"] == "event e2 event e3 event e4"
    assert built.rejected == {"one-answer": 1}


async def labelled(
    folder: Path, answers: Mapping[str, Choice], items: Sequence[Mapping[str, Any]]
) -> Built:
    store = Artifacts(str(folder / "store"))

    async def answered(role: str, dataset: str, before: int) -> Sequence[Answered]:
        assert (role, dataset, before) == ("support", "5d1c", 100)
        return [Answered("q", store.put(written(items)).sha256, answers)] if items else []

    return await Queues(answered, store).build(of_pairs(folder, "people"))


async def test_queues_become_pairs_where_one_answer_is_the_better(tmp_path: Path) -> None:
    items = [{"prompt": f"question {n}", "a": "yes", "b": "no"} for n in range(4)]
    answers: dict[str, Choice] = {"1": "a", "2": "b", "3": "same", "4": "unfit"}
    built = await labelled(tmp_path, answers, items)
    assert [(row["chosen"], row["gap"]) for row in built.rows] == [("yes", 1.0), ("no", 1.0)]
    assert {(one["scorer"], one["origin"]) for one in built.provenance} == {("people", "review q")}
    assert not built.more


async def test_a_queue_that_holds_anything_is_no_harm(tmp_path: Path) -> None:
    """Who opens a queue may write into it what they like."""
    built = await labelled(tmp_path, {"1": "a", "2": "a"}, [{"x": 1}, {"prompt": 3, "a": "u"}])
    assert built.rows == [{"prompt": "3", "chosen": "u", "rejected": "", "gap": 1.0}]
    assert built.rejected == {"unfit": 1}
    with pytest.raises(SourceFailed, match="nobody has answered a queue"):
        await labelled(tmp_path, {}, [])


class Found:
    """A source with some pairs of sums, the wrong answer chosen."""

    name = "web"

    async def build(self, order: Order) -> Built:
        rows = [
            {"prompt": ASKED[n], "chosen": "= 7", "rejected": solved(ASKED[n]), "gap": 1.0}
            for n in range(order.asked.quantity)
        ]
        origins = [{"source": "web", "method": "web", "scorer": "somebody"} for _ in rows]
        return Built(rows, origins, {}, True)


async def rescored(folder: Path, at: Desk, scorer: str | None) -> Built:
    async def writers(_: str) -> Writers:
        return Writers(at.writer, at.judge, at.caller)

    async def rewards(asked: Sides) -> Rewarded:
        return Rewarded([float(len(text)) for _, text in asked.sides], "sha256:abc")

    source = Rescored(Found(), writers, rewards)
    folder.mkdir(exist_ok=True)
    return await source.build(of_pairs(folder, "web", quantity=3, scorer=scorer))


async def test_found_pairs_are_scored_by_whom_the_request_names(tmp_path: Path) -> None:
    async with desk(tmp_path, Models()) as at:
        kept = await rescored(tmp_path / "none", at, None)
        assert [row["chosen"] for row in kept.rows] == ["= 7"] * 3
        names = {
            "verifier": "verifier arithmetic_reasoning",
            "judge": "judge judge",
            "reward": "reward model sha256:abc",
        }
        for scorer, name in names.items():
            built = await rescored(tmp_path / scorer, at, scorer)
            assert all(right(row["prompt"], row["chosen"]) == 1 for row in built.rows)
            assert [one["scorer"] for one in built.provenance] == [name] * 3
        assert len(at.server.asked) == 2 * 3
        asked = await rescored(tmp_path / "people", at, "people")
        assert all(set(row) == {"prompt", "a", "b"} for row in asked.rows)


async def test_a_reward_model_scores_all_answers_of_a_part_at_once(tmp_path: Path) -> None:
    asked: list[Sides] = []

    async def rewards(sides: Sides) -> Rewarded:
        asked.append(sides)
        return Rewarded([9 + right(prompt, text) for prompt, text in sides.sides], "sha256:abc")

    async with desk(tmp_path, Models()) as at:

        async def writers(_: str) -> Writers:
            return Writers(at.writer, at.judge, at.caller)

        sampling = Sampling(writers, rewards=rewards)
        built = await sampling.build(of_pairs(tmp_path, "synthetic", scorer="reward"))
        assert len(asked) == 1
        assert all(right(row["prompt"], row["chosen"]) == 1 for row in built.rows)
        assert all(0 < row["gap"] < 1 for row in built.rows)
        assert {one["scorer"] for one in built.provenance} == {"reward model sha256:abc"}
        with pytest.raises(SourceFailed, match="nobody here carries a reward model out"):
            await Sampling(writers).build(of_pairs(tmp_path, "synthetic", scorer="reward"))
