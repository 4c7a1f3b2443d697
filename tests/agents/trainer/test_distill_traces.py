"""What of a larger model's texts is learned: right, once, and nothing that will be asked."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from agents.trainer.workers.distill import Student, _cut, _student
from agents.trainer.workers.failing import Broke
from agents.trainer.workers.models import kept
from agents.trainer.workers.tracing import collected, sieved
from agents.trainer.workers.work import Work
from events.artifacts import Artifacts
from events.catalog.training import StageRequested
from trainers.model_types import model_type

NOBODY: Any = None
TYPE = model_type("arithmetic_reasoning")


def work(tmp_path: Path) -> Work:
    asked = {"pipeline": "distill", "stage": "traces", "model_type": TYPE.name, "run": "r1"}
    request = StageRequested.model_validate_json(json.dumps(StageRequested.example | asked))
    return Work(request, NOBODY, Artifacts(str(tmp_path / "artifacts")), tmp_path, print)


def right(one: Any) -> str:
    return str(TYPE.completion(TYPE.solve(one)))


def test_only_what_is_right_is_learned_and_each_text_once(tmp_path: Path) -> None:
    some = list(islice(TYPE.problems(3), 20))
    offered = [(one, right(one)) for one in some[:10]] * 2
    offered += [(one, right(some[0])) for one in some[10:]]
    found = sieved(work(tmp_path), offered)
    assert [one["prompt"] for one in found.rows] == [one.prompt for one in some[:10]]
    assert found.figures["traces"].value == 10
    assert found.figures["right"].n == 20
    assert found.figures["right"].value == 0.5
    assert found.figures["decontamination"].value == 1


def test_what_the_proof_will_ask_is_taken_out_and_counted_before(tmp_path: Path) -> None:
    here = work(tmp_path)
    leaked = here.asked_later("verify", 300)[:5]
    fresh = list(islice(TYPE.problems(3), 15))
    found = sieved(here, [(one, right(one)) for one in (*leaked, *fresh)])
    assert len(found.rows) == 15
    assert found.figures["decontamination"].value == 0.75
    assert not {one.prompt for one in leaked} & {one["prompt"] for one in found.rows}


def test_nothing_that_was_offered_is_no_trace(tmp_path: Path) -> None:
    found = sieved(work(tmp_path), [])
    assert (found.rows, found.figures["traces"].value) == ([], 0)


def test_collected_traces_are_texts_or_steps_and_are_believed_no_more(tmp_path: Path) -> None:
    one, other, third = islice(TYPE.problems(3), 3)
    steps = [step._asdict() for step in TYPE.solve(other).steps]
    rows = [
        {"prompt": one.prompt, "answer": one.answer, "completion": right(one)},
        {"prompt": other.prompt, "answer": other.answer, "steps": steps, "outcome": "x"},
        {"prompt": third.prompt, "answer": third.answer, "completion": "trust me"},
        {"prompt": "", "completion": "nothing asked"},
        {"prompt": third.prompt},
    ]
    here = work(tmp_path)
    texts = [text for _, text in collected(here, rows)]
    assert texts == [right(one), right(other), "trust me"]
    left = sieved(here, collected(here, rows)).rows
    assert [row["prompt"] for row in left] == [one.prompt, other.prompt]


def test_a_student_is_half_of_its_teacher_and_of_one_layer_a_part(tmp_path: Path) -> None:
    for layers, wanted in ((28, {"layers": 14}), (2, {"layers": 1})):
        (tmp_path / "config.json").write_text(json.dumps({"num_hidden_layers": layers}))
        assert _cut(tmp_path) == wanted
    (tmp_path / "config.json").write_text('{"num_hidden_layers": 1}')
    assert _cut(tmp_path) == {"layers": 1, "neurons": 0.25}


def test_out_of_a_teacher_that_is_not_here_no_student_is_cut() -> None:
    with pytest.raises(Broke, match="name students") as told:
        _cut(Path("org/large"))
    assert (told.value.kind, told.value.again) == ("usage", False)


async def test_a_student_that_is_named_is_taken_and_not_cut(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "config.json").write_text("{}")
    here = work(tmp_path)
    one = kept(here.artifacts, tmp_path / "own", "student.1")
    request = here.request.model_copy(update={"students": ("own", "org/tiny"), "inputs": (one,)})
    named = Work(request, NOBODY, here.artifacts, tmp_path / "shelf", print)
    first = await _student(named, 1, Path("above"))
    assert isinstance(first.base, Path)
    assert (first.base / "config.json").read_text() == "{}"
    assert await _student(named, 2, Path("above")) == Student("org/tiny", {})
