"""What an answer to a benchmark is worth, and that programs run behind walls or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.suites.tasks import task_rows
from tests.house.source import ROOT
from trainers.harness.scoring import choice, cut, number, program, written

TASKS = ROOT / "benchmarks" / "tasks"
DOUBLE: dict[str, Any] = {
    "kind": "code", "prompt": "def f(n):\n", "entry_point": "f",
    "answer": ["assert f(2) == 4", "assert f(0) == 0"],
}  # fmt: skip


def test_the_likeliest_choice_counts_and_of_equal_ones_the_first() -> None:
    row = {"choices": ["a", "b", "c"], "answer": 1}
    assert choice(row, [-3.0, -1.0, -2.0]).right
    assert choice(row, [-1.0, -1.0, -2.0]).said == "a"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("so it is 42.", "42"),
        ("7+5=12;=0012;", "12"),
        ("first 3 #### 1,200 and 5", "1200"),
        ("-0.50", "-0.5"),
        ("-0", "0"),
        ("3.0", "3"),
        ("none", None),
        ("#### none", None),
    ],
)
def test_an_answer_in_words_comes_to_one_number(text: str, found: str | None) -> None:
    assert number(text) == found


def test_an_answer_ends_where_the_next_question_begins() -> None:
    row = {"kind": "exact", "prompt": "?", "answer": "4"}
    assert written(row, " 2+2 = 4\n\nQuestion: 3+3? Answer: 6").right
    assert cut("abc", ("x",)) == "abc"


def test_a_program_is_the_prompt_gone_on_with_or_a_whole_one() -> None:
    assert written(DOUBLE, "    return 2 * n\n\nprint('x')").right
    assert written(DOUBLE, "Sure!\n```python\ndef f(n):\n    return n + n\n```\nBye").right
    assert written(DOUBLE, "<think>x</think>=def f(n):\n return n+n;").right
    assert program(DOUBLE, "    return 1\ndef g(): pass") == "def f(n):\n    return 1"


def test_half_of_the_tests_are_half_of_the_score_and_not_right() -> None:
    found = written(DOUBLE, "    return 0\n")
    assert (found.score, found.right) == (0.5, False)


def test_a_hostile_program_fails_and_reaches_nothing(tmp_path: Path) -> None:
    target = tmp_path / "here"
    for text in (
        f"    open({str(target)!r}, 'w').write('x')\n    return 2 * n\n",
        f"    import os\n    os.system('touch {target}')\n    return 2 * n\n",
        "    import os\n    os._exit(0)\n",
    ):
        written(DOUBLE, text)
        assert not target.exists()
    assert not written(DOUBLE, "    import os\n    os._exit(0)\n").right


def test_the_solutions_of_our_own_samples_pass_and_empty_ones_do_not() -> None:
    rows = task_rows(TASKS, "small_programs")
    given = [json.loads(one) for one in (TASKS / "small_programs.jsonl").read_text().splitlines()]
    assert all(
        written(row, one["canonical_solution"]).right for row, one in zip(rows, given, strict=True)
    )
    assert not any(written(row, "    pass\n").right for row in rows)
