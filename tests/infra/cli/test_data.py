"""`ratchet data`: own rows brought along and taken out again, and evaluation sets guarded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.cli.saying import document, kept, refused, said
from tests.pipelines.data.solved import KINDS, examination, rows_of, solved

NAME = "support_replies"


def dumped(file: Path, rows: list[dict[str, Any]]) -> str:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a role, and an examination that is guarded."""
    folder = tmp_path_factory.mktemp("data")
    home = folder / "home"
    (folder / "role.yaml").write_text(f"name: support\npurpose: Answer.\nmodel_type: {NAME}\n")
    (folder / "chat.yaml").write_text("name: chat\npurpose: Talk.\nmodel_type: nobody_knows_it\n")
    document(home, "roles", "apply", str(folder / "role.yaml"), str(folder / "chat.yaml"))
    exam = dumped(
        folder / "exam.jsonl",
        [{"prompt": one.prompt, "answer": one.answer} for one in examination(NAME)],
    )
    document(home, "data", "guard", exam)
    return home


def test_an_evaluation_set_is_registered_once_and_listed(begun: Path, tmp_path: Path) -> None:
    (row,) = document(begun, "data", "guard")["evaluation_sets"]
    assert (row["name"], row["rows"]) == ("exam", 100)
    exam = dumped(
        tmp_path / "exam.jsonl",
        [{"prompt": one.prompt, "answer": one.answer} for one in examination(NAME)],
    )
    again = document(begun, "data", "guard", exam)
    assert again["changed"] is False
    assert "exam" in said(begun, "data", "guard").out


def test_rows_are_brought_along_and_taken_out_as_they_were(begun: Path, tmp_path: Path) -> None:
    rows = rows_of(NAME, 60)
    leaked = solved(KINDS[NAME], examination(NAME)[:2])
    wrong = rows_of(NAME, 61)[-1] | {"completion": "never mind"}
    file = dumped(tmp_path / "own.jsonl", [*rows, *leaked, wrong])
    words = ("data", "import", file, "--role", "support", "--licence", "own")
    made = document(begun, *words, "--report", str(tmp_path / "report.md"))
    assert "| contamination | 0.968" in (tmp_path / "report.md").read_text()
    assert made["count"] == 60
    assert made["removed"] == {"invalid": 1, "leaked": 2}
    assert made["quality"]["contamination"]["value"] == pytest.approx(61 / 63)
    again = document(begun, *words)
    assert (again["changed"], again["dataset"]) == (False, made["dataset"])
    listed = document(begun, "data", "list")["datasets"]
    assert made["dataset"] in [row["dataset"] for row in listed]
    shown = document(begun, "data", "show", made["dataset"])
    assert (shown["status"], shown["licence"]) == ("imported", "own")
    assert "validity" in said(begun, "data", "show", made["dataset"]).out
    written = document(begun, "data", "export", made["dataset"], "--to", str(tmp_path / "out"))
    texts = [Path(one).read_text() for one in written["written"]]
    assert [json.loads(line) for line in texts[0].splitlines()] == rows
    assert json.loads(texts[1].splitlines()[0])["licence"] == "own"
    assert texts[2].startswith("<!doctype html>")
    refused(
        said(begun, "data", "export", made["dataset"], "--to", str(tmp_path / "out")),
        2, "there is such a file already",
    )  # fmt: skip


def test_pairs_are_brought_along_and_what_is_unsure_is_queued(begun: Path, tmp_path: Path) -> None:
    kind = KINDS[NAME]
    rows = []
    for n, row in enumerate(rows_of(NAME, 40, 5)):
        close = n % 4 == 0
        answers = [
            {"text": row["completion"], "score": 0.9},
            {"text": f"{kind.draft(examination(NAME)[0], 1)} {n}", "score": 0.8 if close else 0.2},
        ]
        rows.append({"prompt": row["prompt"], "answer": row["answer"], "responses": answers})
    file = dumped(tmp_path / "pairs.jsonl", rows)
    words = ("--role", "support", "--kind", "pairs", "--name", "prefs", "--review", "unsure")
    made = document(begun, "data", "import", file, *words)
    assert (made["count"], made["removed"]) == (30, {"unsure": 10})
    assert made["review"]["count"] == 10
    assert made["quality"]["pairs"]["value"] == 30
    shown = document(begun, "data", "show", "prefs")
    assert len(shown["pairs"]) == 3
    assert shown["pairs"][0]["gap"] == pytest.approx(0.7)
    assert shown["pairs"][0]["rejected"][:20] in said(begun, "data", "show", "prefs").out
    other = dumped(tmp_path / "other.jsonl", rows[2:])
    refused(
        said(begun, "data", "import", other, *words[:-2]), 2, "'prefs' already, with other rows"
    )
    waits = document(begun, "review", "list", "unsure")["waiting"]
    assert len(waits) == 10
    document(begun, "review", "answer", "unsure", "1", "a")
    assert document(begun, "data", "import", file, *words)["review"] is None
    refused(
        said(begun, "data", "import", other, *words[:4], "--name", "more", "--review", "unsure"),
        2, "there is a queue 'unsure' already",
    )  # fmt: skip
    assert len(document(begun, "review", "list", "unsure")["waiting"]) == 9


def test_what_cannot_be_done_whole_is_not_begun(begun: Path, tmp_path: Path) -> None:
    rows = [{"prompt": f"{n}?", "chosen": "yes it is", "rejected": f"no {n}"} for n in range(3)]
    file = dumped(tmp_path / "pairs.jsonl", rows)
    words = ("data", "import", file, "--role", "support", "--kind", "pairs", "--name", "halves")
    before = document(begun, "data", "list")
    refused(said(begun, *words, "--report", str(tmp_path)), 2, "such a file already")
    refused(said(begun, *words, "--review", "a/b"), 2, "'review' may not be 'a/b'")
    refused(said(begun, *words, "--licence", "L" * 201), 2, "201 characters (--licence)")
    assert document(begun, "data", "list") == before


def test_what_is_wrong_with_a_file_is_told_by_line_and_nothing_is_kept(
    begun: Path, tmp_path: Path
) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"prompt": "a", "completion": "b"}\nnope\n{"prompt": "a"}\n')
    before = kept(begun)
    refused(
        said(begun, "data", "import", str(file), "--role", "support"),
        2, "line 2: it is not JSON", "line 3: ", "bad.jsonl",
    )  # fmt: skip
    good = dumped(tmp_path / "good.jsonl", rows_of(NAME, 3))
    refused(said(begun, "data", "import", good, "--role", "suport"), 3, "did you mean 'support'?")
    refused(said(begun, "data", "import", good, "--role", "support", "--kind", "x"), 2, "--kind")
    refused(said(begun, "data", "import", "none.jsonl", "--role", "support"), 3, "no such file")
    refused(said(begun, "data", "guard", str(file)), 2, "line 2")
    leaked = dumped(tmp_path / "leaked.jsonl", solved(KINDS[NAME], examination(NAME)[:3]))
    refused(
        said(begun, "data", "import", leaked, "--role", "support"), 2, "no row is left (3 leaked)"
    )
    assert kept(begun) == before


def test_personal_data_is_redacted_before_anything_is_kept(begun: Path, tmp_path: Path) -> None:
    rows = [{"prompt": f"question {n} of many others", "completion": f"mail {name}@example.org"}
            for n, name in enumerate(("ann.smith", "bob.jones"))]  # fmt: skip
    file = dumped(tmp_path / "people.jsonl", rows)
    made = document(begun, "data", "import", file, "--role", "chat", "--name", "people")
    assert (made["redacted"], made["verified"]) == (2, False)
    assert not [one for one in kept(begun).values() if b"ann.smith" in one]


def test_a_data_set_that_is_not_there_is_not_found(begun: Path) -> None:
    refused(said(begun, "data", "show", "nothing"), 3, "there is no data set 'nothing'")
    refused(said(begun, "data", "export", "nothing"), 3, "there is no data set 'nothing'")
