"""What stages make of rows that were given, of two models, of answers side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from agents.trainer.workers.dpo import preferred, shapes
from agents.trainer.workers.evaluating import _concordant, wins
from agents.trainer.workers.guarding import without_leaks
from agents.trainer.workers.preferring import LABEL, _given, _imitated, cleaned
from agents.trainer.workers.tracing import sieved
from agents.trainer.workers.work import Work
from events.artifacts import Artifacts
from events.catalog.training import Artifact, StageRequested
from events.errors import NotFound
from trainers.model_types import model_type

NOBODY: Any = None


def work(folder: Path, rows: list[dict[str, Any]] | None = None, stage: str = "prepare") -> Work:
    example = StageRequested.example | {
        "stage": stage, "run": "r1", "model_type": "support_replies", "pipeline": "dpo",
    }  # fmt: skip
    request = StageRequested.model_validate_json(json.dumps(example))
    artifacts = Artifacts(str(folder / "artifacts"))
    if rows is not None:
        ref = artifacts.put("".join(json.dumps(row) + "\n" for row in rows).encode())
        given = Artifact(kind="dataset", sha256=ref.sha256, size=ref.size)
        request = request.model_copy(update={"inputs": (given,)})
    return Work(request, NOBODY, artifacts, folder, print)


def pair(place: int, **more: Any) -> dict[str, Any]:
    return {"prompt": f"p{place}", "chosen": f"good {place}", "rejected": "bad"} | more


def test_pairs_that_were_given_keep_their_gap_and_a_plain_label_is_yes_and_no() -> None:
    found = _given([pair(1, gap=0.4), pair(2), pair(3, gap=None), pair(4, gap=7.0)])
    assert [one.gap for one in found] == [0.4, LABEL, LABEL, 1.0]
    assert _given([{"prompt": "p", "chosen": "same", "rejected": "same"}]) == []


async def test_of_given_pairs_the_better_side_is_imitated_but_none_that_is_held_back(
    tmp_path: Path,
) -> None:
    rows = [pair(place) for place in range(100)]
    found = await _imitated(work(tmp_path, rows))
    assert len(found) == 80
    assert all(one["completion"].startswith("good") for one in found)


async def test_completions_that_were_given_are_imitated_and_else_drafts(tmp_path: Path) -> None:
    given = await _imitated(work(tmp_path, [{"prompt": "p", "completion": "c"}]))
    assert given == [{"prompt": "p", "completion": "c"}]
    drafts = await _imitated(work(tmp_path))
    assert len(drafts) > 2000
    assert drafts == await _imitated(work(tmp_path))


def test_nothing_is_imitated_that_the_evaluation_asks(tmp_path: Path) -> None:
    one = work(tmp_path)
    later = one.asked_later("evaluate", 300)
    assert one.kind.suite(one.seed_at("evaluate", 1, "held out"), 300) == later[:300]
    asked = {"prompt": later[5].prompt, "completion": "we will refund your laptop ."}
    other = next(model_type("support_replies").problems(1))
    fine = {"prompt": other.prompt, "completion": "we will refund your laptop ."}
    assert without_leaks(one, [asked, fine]) == [fine]


def registered(one: Work, *prompts: str) -> Work:
    """The same stage, with an evaluation set of somebody's beside it."""
    rows = "".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts)
    ref = one.artifacts.put(rows.encode())
    kept = Artifact(kind="evaluation", sha256=ref.sha256, size=ref.size)
    return replace(one, request=one.request.model_copy(update={"guarded": (kept,)}))


async def test_nothing_is_learned_that_a_registered_evaluation_set_asks(tmp_path: Path) -> None:
    own, other = islice(model_type("support_replies").problems(1), 2)
    good, bad = "we will refund your laptop .", "no ."
    one = registered(work(tmp_path, stage="pairs"), own.prompt, "what is the capital of norway ?")
    row, fine = ({"prompt": it.prompt, "completion": good} for it in (own, other))
    assert without_leaks(one, [row, fine]) == [fine]
    offered = _given({"prompt": it.prompt, "chosen": good, "rejected": bad} for it in (own, other))
    found = await cleaned(one, offered)
    assert [pair.prompt for pair in found.kept] == [other.prompt]
    (clean,) = [gate.value for gate in found.gates if gate.name == "decontamination"]
    assert (clean.value, clean.n) == (0.5, 2)
    kind = model_type("support_replies")
    seen = sieved(one, [(it, kind.completion(kind.solve(it))) for it in (own, other)])
    assert seen.figures["decontamination"].value == 0.5


def test_a_registered_set_that_is_gone_stops_what_would_learn(tmp_path: Path) -> None:
    one = registered(work(tmp_path), "a question of somebody's own ?")
    one.artifacts.remove(one.request.guarded[0].sha256)
    with pytest.raises(NotFound, match="cannot be searched for a registered evaluation set"):
        without_leaks(one, [{"prompt": "p", "completion": "c"}])


def written(place: Path, width: int = 4, layers: int = 2) -> Path:
    place.mkdir()
    config = {"architectures": ["A"], "hidden_size": width, "num_hidden_layers": layers}
    (place / "config.json").write_text(json.dumps(config))
    weights = {f"layer.{one}": np.zeros((width, width), np.float32) for one in range(layers)}
    save_file(weights, place / "model.safetensors")
    return place


def test_architectures_are_compared_weight_by_weight(tmp_path: Path) -> None:
    one = shapes(written(tmp_path / "one"))
    assert one == shapes(written(tmp_path / "same"))
    assert one["weight layer.0"] == ("F32", [4, 4])
    other = shapes(written(tmp_path / "other", width=5))
    assert other["weight layer.0"] != one["weight layer.0"]
    assert "weight layer.2" in shapes(written(tmp_path / "deeper", layers=3))


def item(*rewards: float, scores: tuple[float, ...] = ()) -> dict[str, Any]:
    return {"rewards": list(rewards), "scores": list(scores)}


def test_a_win_is_counted_sample_by_sample_and_a_tie_is_half() -> None:
    assert wins([item(1, 1)], [item(0, 1)], "rewards") == [0.75]
    assert wins([item(0.5)], [item(0.5)], "rewards") == [0.5]
    ours, theirs = [item(0.2, 0.9, 0.9)], [item(0.9, 0.1, 0.2)]
    there, back = wins(ours, theirs, "rewards")[0], wins(theirs, ours, "rewards")[0]
    assert there + back == pytest.approx(1.0)


def test_a_reward_model_agrees_with_the_verifier_where_that_tells_answers_apart() -> None:
    agrees = item(0.0, 1.0, scores=(-2.0, 3.0))
    against = item(0.0, 1.0, scores=(3.0, -2.0))
    silent = item(1.0, 1.0, scores=(0.0, 5.0))
    assert _concordant([agrees, silent]).value == 1.0
    assert _concordant([agrees, against]).value == 0.5
    assert _concordant([agrees, silent]).n == 1


def test_of_the_reference_itself_there_is_no_gap() -> None:
    found = preferred([0.0] * 50, 1.0)
    assert found["gap"].value == 0.0
    assert found["preference_accuracy"].value == 0.0  # a tie is not a preference
    sure = preferred([2.0] * 50, 1.0)
    assert sure["gap"].value == pytest.approx(0.7616, abs=1e-3)
    assert preferred([2.0] * 50, 0.1)["gap"].value < 0.15  # what beta is decides what it is called
