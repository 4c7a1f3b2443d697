"""Somebody's own JSON lines: what is wrong is told by line, several at once, and nothing raises."""

from __future__ import annotations

import json
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import Malformed
from pipelines.data.importing import MOST, TOLD, Imported, Sort, imported, preferred
from pipelines.data.reviewing import labels, queued, waiting
from pipelines.data.rows import Provenance

ORIGIN = Provenance(source="import", method="import", licence="own")
ROW = {"prompt": "p", "completion": "c"}


def take(content: bytes, sort: Sort = "trajectories") -> list[Imported]:
    return imported(BytesIO(content), sort, "own.jsonl", ORIGIN)


def dumped(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def refusal(content: bytes, sort: Sort = "trajectories") -> Malformed:
    with pytest.raises(Malformed) as caught:
        take(content, sort)
    assert caught.value.where == "own.jsonl"
    return caught.value


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"", "the line is empty"),
        (b"nope", "it is not JSON"),
        (b"[1]", "it is no JSON object"),
        (b'{"prompt": "a", "completion": "\xff"}', "it is not UTF-8 from byte"),
        (b'{"prompt": "a", "prompt": "b", "completion": "c"}', "'prompt' stands there twice"),
        (b'{"prompt": "a", "completion": NaN}', "NaN is no number"),
        (b'{"prompt": "a", "completion": "c", "weight": 1e999}', "infinite"),
        (b'{"prompt": "a\\ud800", "completion": "c"}', "half of a character"),
        (b'{"prompt": "a", "compleetion": "c"}', "a misspelt 'compleetion'"),
        (b'{"prompt": 1, "completion": "c"}', "'prompt' may not be 1"),
        (b'{"prompt": "a", "completion": ""}', "completion"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"x": ' + b"[" * 300 + b"]" * 300 + b"}", "nested too deeply"),
        (b'{"x": ' + b"9" * 5_000 + b"}", "a number has thousands of digits"),
    ],
)
def test_what_is_wrong_with_a_line_is_told(line: bytes, told: str) -> None:
    error = refusal(dumped(ROW) + line + b"\n" + dumped(ROW))
    assert error.what.startswith("line 2: ")
    assert told in error.what
    assert "\n" not in error.what


def test_several_lines_are_told_at_once_and_never_too_many() -> None:
    error = refusal(dumped(ROW) + b"nope\n\n" + dumped(ROW, {"prompt": "x"}))
    assert [part.split(":")[0] for part in error.what.split("; ")] == ["line 2", "line 3", "line 5"]
    many = refusal(b"nope\n" * 1_000)
    assert many.what.count("line ") == TOLD
    assert many.what.endswith("perhaps more behind them")
    assert "no rows" in refusal(b"").what


def test_steps_have_to_add_up() -> None:
    steps = [{"title": "t", "reasoning": "r", "action": "a", "reward": 0.4}]
    row = {"prompt": "p", "steps": steps, "outcome": "o"}
    assert "sum to 0.4, not 1" in refusal(dumped(row)).what
    steps[0]["reward"] = 1.0
    assert take(dumped(row))[0].row == row
    assert "outcome" in refusal(dumped({"prompt": "p", "steps": steps})).what


def test_ids_and_times_leave_the_rows_and_what_they_name_goes_into_provenance() -> None:
    row = {**ROW, "id": 7, "timestamp": "noon", "license": "MIT", "model": "m", "note": "n"}
    (found,) = take(b"\xef\xbb\xbf" + dumped(row))
    assert found.row == {**ROW, "note": "n"}
    told = (found.provenance.session, found.provenance.licence, found.provenance.model)
    assert told == ("7", "MIT", "m")
    (plain,) = take(dumped(ROW))
    assert plain.provenance == ORIGIN


def test_texts_are_redacted_wherever_they_stand() -> None:
    row = {"prompt": "call me", "completion": "me", "answer": {"who": ["me", 1]}}
    found = imported(
        BytesIO(dumped(row)), "trajectories", "f", ORIGIN, lambda text: text.replace("me", "[X]")
    )
    assert found[0].row == {
        "prompt": "call [X]",
        "completion": "[X]",
        "answer": {"who": ["[X]", 1]},
    }


def test_pairs_come_in_two_forms() -> None:
    rows = [
        {"prompt": "p", "chosen": "a", "rejected": "b"},
        {"prompt": "p", "chosen": "a", "rejected": "c", "chosen_score": 0.9, "rejected_score": 0.4},
        {"prompt": "q", "responses": [{"text": "x", "score": 0.2}, {"text": "y", "score": 1}],
         "confidence": 0.1},
    ]  # fmt: skip
    found = list(preferred(take(dumped(*rows), "pairs")))
    assert [(one.chosen, one.rejected) for one in found] == [("a", "b"), ("a", "c"), ("y", "x")]
    assert [one.gap for one in found] == [1.0, pytest.approx(0.5), pytest.approx(0.8)]
    assert [one.confidence for one in found] == [1.0, pytest.approx(0.5), 0.1]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"prompt": "p", "chosen": "a", "rejected": "a"}, "the same"),
        ({"prompt": "p", "chosen": "a", "rejected": "b", "chosen_score": 1.0}, "has none"),
        ({"prompt": "p", "chosen": "a", "rejected": "b", "chosen_score": 0.1,
          "rejected_score": 0.2}, "no higher score"),
        ({"prompt": "p", "chosen": "a", "rejected": "b", "confidence": 2.0}, "confidence"),
        ({"prompt": "p", "responses": [{"text": "x", "score": 0.2}]}, "responses"),
        ({"prompt": "p", "responses": [{"text": "x", "score": 9.0}] * 2}, "score"),
        ({"prompt": "p", "chosen": "a"}, "rejected"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_pair_is_told(row: dict[str, Any], told: str) -> None:
    assert told in refusal(dumped(row), "pairs").what


def test_more_rows_than_can_be_kept_are_refused() -> None:
    class Endless(BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            assert size
            return b'{"prompt":"p"}\n'

    assert MOST >= 1_000_000
    with pytest.raises(Malformed, match="more than 50 rows"):
        imported(Endless(), "evaluation", "f", ORIGIN, most=50)


def test_labels_are_choices_of_items() -> None:
    good = dumped({"item": 1, "choice": "a", "prompt": "left there by whoever answered"})
    assert take(good, "labels")[0].row["choice"] == "a"
    assert "choice" in refusal(dumped({"item": 1, "choice": "c"}), "labels").what
    assert "item" in refusal(dumped({"item": 0, "choice": "a"}), "labels").what


def test_a_queue_shows_no_pair_by_which_answer_was_chosen() -> None:
    pairs = [{"prompt": f"p{n}", "chosen": f"z{n}", "rejected": f"a{n}"} for n in range(400)]
    rows = queued(pairs)
    first = sum(row["a"].startswith("z") for row in rows)
    assert 150 < first < 250
    turned = [one | {"chosen": one["rejected"], "rejected": one["chosen"]} for one in pairs]
    assert queued(turned) == rows
    assert queued([{"prompt": "p", "a": "x", "b": "y"}]) == [{"prompt": "p", "a": "x", "b": "y"}]


def test_answers_of_people_become_pairs() -> None:
    rows = [{"prompt": f"p{n}", "a": "x", "b": "y"} for n in range(4)]
    answers: dict[str, Any] = {"1": "b", "2": "same", "3": "a"}
    assert list(labels(rows, answers)) == [
        {"prompt": "p0", "chosen": "y", "rejected": "x"},
        {"prompt": "p2", "chosen": "x", "rejected": "y"},
    ]
    assert [row["item"] for row in waiting(rows, answers)] == [4]


@given(st.binary(max_size=300), st.sampled_from(["trajectories", "pairs", "evaluation", "labels"]))
def test_no_bytes_at_all_make_it_raise_otherwise(content: bytes, sort: Sort) -> None:
    with suppress(Malformed):
        assert take(content, sort)
