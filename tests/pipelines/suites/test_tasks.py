"""Benchmarks from files of people: three shapes, and what is wrong is told with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from events.errors import Malformed, NotFound
from pipelines.suites.tasks import LARGEST, asserts, task_rows
from tests.house.source import ROOT

CHECK = "def check(candidate):\n    assert candidate(2) == 4\n"
PROGRAM = {"prompt": "def f(n):\n", "entry_point": "f", "test": CHECK}


def read(folder: Path, *rows: Any) -> list[dict[str, Any]]:
    lines = [one if isinstance(one, str) else json.dumps(one) for one in rows]
    (folder / "one.jsonl").write_text("\n".join(lines))
    return task_rows(folder, "one")


def test_a_question_with_choices_is_put_under_letters(tmp_path: Path) -> None:
    (row,) = read(tmp_path, {"question": "Two?", "choices": ["1", "2"], "answer": "B",
                             "subject": "numbers"})  # fmt: skip
    assert row["prompt"] == "Two?\nA. 1\nB. 2\nAnswer:"
    assert (row["choices"], row["answer"], row["area"]) == ([" A", " B"], 1, "numbers")


def test_a_prompt_is_taken_as_it_is_and_goes_on_with_each_choice(tmp_path: Path) -> None:
    (row,) = read(tmp_path, {"prompt": "1+1=", "choices": ["2", "3"], "answer": 0})
    assert (row["prompt"], row["choices"], row["answer"]) == ("1+1=", ["2", "3"], 0)


def test_an_answer_in_words_comes_to_one_number(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        {"question": "How many?", "answer": "First 3, then 4. #### 1,200"},
        {"prompt": "7+5#", "answer": 12},
    )
    assert [row["answer"] for row in rows] == ["1200", "12"]
    assert rows[0]["prompt"] == "Question: How many?\nAnswer:"


def test_what_a_test_of_code_asks_is_taken_apart_and_bears_the_programs_own_name() -> None:
    test = (
        "import math\n\ndef check(candidate):\n    xs = [1, 2]\n"
        "    assert candidate(xs) == 3, 'candidate is wrong'\n"
        "    assert math.isclose(candidate([0.5]), 0.5)\n"
    )
    assert asserts(test, "total") == [
        "import math\nxs = [1, 2]\nassert total(xs) == 3",
        "import math\nxs = [1, 2]\nassert math.isclose(total([0.5]), 0.5)",
    ]


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("{", "no JSON"),
        ("[1]", "no JSON object"),
        ({"question": "?", "choices": ["1"], "answer": 0}, "1 choices"),
        ({"question": "?", "choices": ["1", "2"], "answer": 2}, "none of its choices"),
        ({"question": "?", "choices": ["1", "2"], "answer": "Q"}, "no item"),
        ({"question": "?", "answer": "nobody knows"}, "no number"),
        ({"answer": 3}, "there is no 'question'"),
        ({**PROGRAM, "entry_point": "os.system"}, "no name of a function"),
        ({**PROGRAM, "test": "print(1)"}, "no function check"),
        ({**PROGRAM, "test": "def check(candidate):\n    pass"}, "no assert"),
        ({**PROGRAM, "test": "def check(candidate)"}, "no Python"),
        (
            {
                **PROGRAM,
                "test": "def check(candidate):\n    for i in [1]:\n        assert candidate(i)",
            },
            "inside another statement|has no assert|assert",
        ),
    ],
)
def test_what_is_no_item_is_refused_with_its_line(tmp_path: Path, row: Any, wrong: str) -> None:
    with pytest.raises(Malformed, match=wrong) as error:
        read(tmp_path, PROGRAM, row)
    assert "line 2" in error.value.where


def test_a_line_without_end_and_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="too long"):
        read(tmp_path, "x" * (LARGEST + 1))
    with pytest.raises(Malformed, match="nothing in it"):
        read(tmp_path, "")
    with pytest.raises(NotFound, match="did you mean 'one'"):
        task_rows(tmp_path, "on")
    with pytest.raises(NotFound):
        task_rows(tmp_path, "../one")


def test_our_own_samples_can_be_read() -> None:
    folder = ROOT / "benchmarks" / "tasks"
    found = {file.stem: task_rows(folder, file.stem) for file in folder.glob("*.jsonl")}
    assert {row["kind"] for rows in found.values() for row in rows} == {"choice", "exact", "code"}
