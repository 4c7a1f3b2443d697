"""Rows that nobody could learn from are refused by their lines, before anything heavy loads."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from events.catalog.jobs import DataRef, JobSpec, Recipe
from tests.trainers.jobs import ref
from trainers.data import LARGEST, Checked, check, check_file, rows
from trainers.failures import BadData
from trainers.recipes import settings_of
from trainers.rows import Asked, Labelled, Pair, Row, Solved, Written, row_kind

GOOD = tuple({"prompt": f"{n}+1=", "completion": f"{n + 1};"} for n in range(40))
Lines = Iterable[Mapping[str, Any] | bytes]


def written(folder: Path, lines: Lines) -> tuple[DataRef, Path]:
    text = b"".join(
        one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in lines
    )
    file = folder / "rows"
    file.write_bytes(text)
    return ref(text), file


def refusal(folder: Path, lines: Lines, kind: type[Row] = Written, **how: Any) -> str:
    one, file = written(folder, lines)
    with pytest.raises(BadData) as refused:
        check_file(one, file, kind, **how)
    return str(refused.value)


def accepted(folder: Path, lines: Lines, kind: type[Row] = Written, **how: Any) -> Checked:
    one, file = written(folder, lines)
    return check_file(one, file, kind, **how)


def test_good_rows_are_counted_and_read_again_as_they_are(tmp_path: Path) -> None:
    assert accepted(tmp_path, GOOD, end=";", least=40) == Checked(40, 0)
    assert list(rows(tmp_path / "rows", "train")) == list(GOOD)


def test_fields_that_nobody_asked_for_stay_in_the_row(tmp_path: Path) -> None:
    accepted(tmp_path, [{**one, "source": "s"} for one in GOOD])
    assert next(rows(tmp_path / "rows", "train"))["source"] == "s"


def test_no_rows_at_all_are_refused(tmp_path: Path) -> None:
    assert "there are no rows" in refusal(tmp_path, [])


def test_too_few_rows_for_one_batch_are_refused(tmp_path: Path) -> None:
    assert "40 rows are too few for one batch of 41" in refusal(tmp_path, GOOD, least=41)


def test_only_one_class_is_refused(tmp_path: Path) -> None:
    same = [{"prompt": str(n), "completion": "yes"} for n in range(9)]
    assert "only one class" in refusal(tmp_path, same)
    good = [{"prompt": str(n), "completion": "yes", "label": 1} for n in range(9)]
    assert "only one class" in refusal(tmp_path, good, Labelled)
    assert "only one class" in refusal(
        tmp_path, [{"prompt": str(n), "answer": 4} for n in range(9)], Asked
    )
    assert accepted(tmp_path, [*good, {**good[0], "label": 0}], Labelled).rows == 10
    assert accepted(tmp_path, [{"prompt": str(n)} for n in range(9)], Asked).rows == 9


def test_a_row_of_more_than_ten_megabytes_is_refused_without_being_kept(tmp_path: Path) -> None:
    large = b'{"prompt": "' + b"x" * (4 * LARGEST) + b'", "completion": "a"}\n'
    one, file = written(tmp_path, [*GOOD, large])
    tracemalloc.start()
    with pytest.raises(BadData) as refused:
        check_file(one, file, Written)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "line 41: the row is larger than 10,000,000 bytes" in str(refused.value)
    assert peak < 3 * LARGEST


def test_rows_that_stand_there_twice_are_told_with_both_lines(tmp_path: Path) -> None:
    said = refusal(tmp_path, [*GOOD, GOOD[3], GOOD[5]])
    assert "2 of 42 rows stand there more than once" in said
    assert "line 41: the same row as line 4; line 42: the same row as line 6" in said


def test_a_few_repetitions_in_a_large_file_are_counted_not_refused(tmp_path: Path) -> None:
    many = [{"prompt": str(n), "completion": str(n)} for n in range(400)]
    assert accepted(tmp_path, [*many, many[7]]) == Checked(401, 1)


def test_wrong_rows_are_told_several_at_once_by_their_lines(tmp_path: Path) -> None:
    wrong: list[Mapping[str, Any] | bytes] = [
        {"prompt": "a"},
        {"prompt": 1, "completion": "b"},
        {"promt": "a", "completion": "b"},
        b"{]\n",
        b"\n",
        b"\xff\xfe\n",
        b"[1]\n",
        {"prompt": "a", "completion": ""},
    ]
    said = refusal(tmp_path, [*GOOD, *wrong])
    for line, part in enumerate(
        (
            "'completion' is missing",
            "'prompt' may not be 1",
            "'prompt' is missing, and there is a misspelt 'promt'",
            "the data is not JSON",
            "the line is empty",
            "the line is not UTF-8 from byte 1 on",
            "the data may not be a list of 1",
            "'completion' may not be ''",
        ),
        41,
    ):
        assert f"line {line}: {part}" in said
    assert said.endswith("one JSON object in each line, with prompt, completion")


def test_never_more_than_twenty_findings_are_told(tmp_path: Path) -> None:
    said = refusal(tmp_path, [{"prompt": "a"}] * 1000)
    assert said.count("'completion' is missing") == 20
    assert "perhaps more" in said


def test_rows_nested_too_deeply_are_refused_not_crashed_over(tmp_path: Path) -> None:
    deep = b'{"prompt": "a", "answer": ' + b"[" * 50_000 + b"]" * 50_000 + b"}\n"
    assert "line 1: the data is not JSON" in refusal(tmp_path, [deep], Asked)


def test_a_completion_without_its_end_is_told_where_an_end_is_asked_for(tmp_path: Path) -> None:
    said = refusal(tmp_path, [*GOOD, {"prompt": "9", "completion": "10"}], end=";")
    assert "line 41: the completion does not end with ';'" in said


def test_a_pair_of_equals_and_steps_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    pair = {"prompt": "a", "chosen": "b", "rejected": "b"}
    assert "line 1: chosen and rejected are the same" in refusal(tmp_path, [pair], Pair)
    step = {"title": "t", "reasoning": "r", "action": "a", "reward": 0.4}
    solved = {"prompt": "a", "steps": [step, step], "outcome": "o"}
    assert "line 1: the rewards of its steps sum to 0.8" in refusal(tmp_path, [solved], Solved)


def test_a_file_that_is_another_than_the_one_that_was_meant_is_refused(tmp_path: Path) -> None:
    one, file = written(tmp_path, GOOD)
    file.write_bytes(file.read_bytes().replace(b"11;", b"12;"))
    with pytest.raises(BadData, match="not the one that was meant"):
        check_file(one, file, Written)


def test_a_job_without_rows_to_train_on_is_refused(tmp_path: Path) -> None:
    named = {**JobSpec.example["data"][0], "name": "trian"}
    spec = JobSpec.model_validate_json(json.dumps({**JobSpec.example, "data": [named]}))
    with pytest.raises(BadData, match="data named 'train', not 'trian'"):
        check(spec, tmp_path, settings_of(spec.recipe))


def test_rows_that_are_not_there_are_told_by_their_path(tmp_path: Path) -> None:
    spec = JobSpec.model_validate_json(json.dumps(JobSpec.example))
    with pytest.raises(BadData, match="cannot be read"):
        check(spec, tmp_path, settings_of(spec.recipe))


def test_every_trainer_asks_for_the_rows_that_it_learns_from() -> None:
    def kind(trainer: str, **settings: Any) -> str:
        recipe = Recipe(trainer=trainer, profile="tiny", settings=settings)
        return row_kind(trainer, settings_of(recipe)).__name__

    assert [kind(one) for one in ("sft", "reward", "dpo", "srl", "rlvr", "distill")] == [
        "Written", "Pair", "Pair", "Solved", "Asked", "Written",
    ]  # fmt: skip
    assert kind("reward", loss="bce") == "Labelled"
    assert kind("ppo", reward="reward_model") == "Prompted"
    assert kind("distill", mode="on_policy") == "Prompted"
    assert row_kind("mine:train", {}) is Row
