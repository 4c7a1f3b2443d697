"""`ratchet types`: what there is, what one is like, and a type of one's own that works at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.cli.saying import document, really, refused, said
from tests.infra.processes import ROOT, environment
from trainers.model_types import TYPES


def test_the_types_are_listed_with_what_they_are_for(tmp_path: Path) -> None:
    rows = document(tmp_path, "types", "list")["types"]
    assert [row["type"] for row in rows] == list(TYPES)
    assert all(row["what"] and row["where"] for row in rows)
    assert said(tmp_path, "types", "list").out.count("\n") == len(rows) + 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", TYPES)
def test_a_type_shows_what_it_asks_and_what_is_right(tmp_path: Path, name: str) -> None:
    found = document(tmp_path, "types", "show", name)
    assert found["type"] == name
    assert found["schema"]["properties"]
    assert {"format", "outcome"} <= set(found["rewards"])
    assert "accuracy" in found["metrics"]
    assert found["tokens"]["n"] > 10
    assert found["example"]["prompt"]
    assert sum(step["reward"] for step in found["example"]["steps"]) == 1


def test_a_type_that_is_not_there_is_told(tmp_path: Path) -> None:
    refused(said(tmp_path, "types", "show", "sentiment"), 3, "did you mean 'sentiment_analysis'?")
    refused(said(tmp_path, "types", "show", "no/where.py"), 3, "there is no such file")


def test_a_new_type_passes_its_own_tests_as_it_stands(tmp_path: Path) -> None:
    """As their user runs them: pytest in a process of its own, in a folder of their own."""
    folder = tmp_path / "mine"
    ended = really(tmp_path, "types", "new", "word_counts", "--to", str(folder))
    assert ended.code == 0, ended
    assert "next: `python -m pytest" in ended.out
    assert {file.name for file in folder.iterdir()} == {"word_counts.py", "test_word_counts.py"}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-W",
            "error",
            "-p",
            "no:cacheprovider",
            str(folder),
        ],
        cwd=tmp_path,
        env={**environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "20 passed" in done.stdout
    text = (folder / "word_counts.py").read_text()
    assert "class WordCounts:" in text
    assert "xample" not in text
    assert text.count("CHANGE") > 5
    shown = document(tmp_path, "types", "show", str(folder / "word_counts.py"))
    assert shown["type"] == "word_counts"
    assert shown["where"] == str(folder / "word_counts.py")


def test_its_tests_notice_when_it_is_spoilt(tmp_path: Path) -> None:
    document(tmp_path, "types", "new", "mine", "--to", str(tmp_path))
    file = tmp_path / "mine.py"
    file.write_text(file.read_text().replace("count += sign == letter", "count += 1"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        env={**environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "test_the_expert_is_always_right" in done.stdout


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("mine")
    ended = said(tmp_path, "types", "new", "mine", "--to", str(tmp_path))
    refused(ended, 2, "there is such a file already", "test_mine.py")
    assert not (tmp_path / "mine.py").exists()
    assert (tmp_path / "test_mine.py").read_text() == "mine"


@pytest.mark.parametrize("name", ["Mine", "a-b", "1a", "", "class", "../a", "x" * 70])
def test_a_name_that_is_no_module_is_refused(tmp_path: Path, name: str) -> None:
    ended = said(tmp_path, "types", "new", "--to", str(tmp_path), "--", name)
    refused(ended, 2, "is no name of a module")
    assert list(tmp_path.iterdir()) == []


def test_a_name_of_ours_is_taken(tmp_path: Path) -> None:
    refused(said(tmp_path, "types", "new", "code_generation"), 2, "is one of ours")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = said(tmp_path, "types", "new", "mine", "--to", str(tmp_path / "file" / "below"))
    refused(ended, 4, "cannot be written")


def test_a_mistake_in_a_type_is_told_by_file_and_line(tmp_path: Path) -> None:
    document(tmp_path, "types", "new", "mine", "--to", str(tmp_path))
    file = tmp_path / "mine.py"
    whole = file.read_text()
    file.write_text(whole.replace("TYPE = Mine()", "TYPE = Mien()"))
    line = whole[: whole.index("TYPE = Mine()")].count("\n") + 1
    refused(said(tmp_path, "types", "show", str(file)), 2, "NameError", f"{file}:{line}")
    file.write_text(whole.replace("count += sign == letter", "count += letter"))
    line = whole[: whole.index("count += sign")].count("\n") + 1
    refused(said(tmp_path, "types", "show", str(file)), 2, "TypeError", f"{file}:{line}")
