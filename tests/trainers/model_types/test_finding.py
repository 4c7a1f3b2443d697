"""Types are found by name, path and entry point; what is wrong with one is told by its line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from events.errors import Malformed, NotFound, Refused
from tests.trainers.model_types.kinds import TEMPLATE
from trainers.model_types import TYPES, model_type
from trainers.model_types.finding import NEEDED, blamed, installed, origin
from trainers.model_types.kind import for_evaluation, problem

EXAMPLE = TEMPLATE.read_text()
POINT = """
[ratchet.types]
their_type = theirs:TYPE
broken_type = theirs:NOTHING
arithmetic_reasoning = theirs:TYPE
"""


def own(folder: Path, text: str, name: str = "own.py") -> str:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return str(file)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize("name", TYPES)
def test_each_of_ours_is_found_by_its_name_and_has_all_parts(name: str) -> None:
    found = model_type(name)
    assert found.name == name
    assert all(hasattr(found, part) for part in NEEDED)
    assert origin(found).name == f"{name}.py"


def test_the_types_load_no_torch() -> None:
    code = f"""
import sys
from trainers.model_types import TYPES, model_type
for name in TYPES:
    kind = model_type(name)
    one = next(kind.problems(0))
    kind.completion(kind.solve(one))
heavy = {{"torch", "transformers", "numpy", "datasets", "{"tokenizers"}"}} & set(sys.modules)
sys.exit(str(heavy) if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_file_is_a_type(tmp_path: Path) -> None:
    place = own(tmp_path, EXAMPLE)
    assert model_type(place).name == "example"
    assert model_type(f"{place}:TYPE").name == "example"
    assert model_type(f"{place}:Example").name == "example"
    assert origin(model_type(place)) == Path(place)


def test_a_folder_is_a_type_and_its_files_see_each_other(tmp_path: Path) -> None:
    own(tmp_path, EXAMPLE, "mine/inner.py")
    own(tmp_path, "from .inner import TYPE\n", "mine/__init__.py")
    assert model_type(f"{tmp_path}/mine").name == "example"


def test_two_files_of_one_name_are_two_types(tmp_path: Path) -> None:
    one = own(tmp_path / "a", EXAMPLE)
    other = own(tmp_path / "b", EXAMPLE.replace('name = "example"', 'name = "other"'))
    assert (model_type(one).name, model_type(other).name) == ("example", "other")


def test_dataclasses_of_a_type_find_their_module(tmp_path: Path) -> None:
    text = "from dataclasses import dataclass\n\n@dataclass\nclass Part:\n    n: int\n"
    place = own(tmp_path, EXAMPLE.replace("LETTERS = ", f"{text}\nLETTERS = ", 1))
    assert model_type(place).name == "example"


def test_an_installed_package_offers_a_type_by_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(tmp_path, EXAMPLE, "theirs.py")
    own(tmp_path, POINT, "theirs-1.0.dist-info/entry_points.txt")
    own(tmp_path, "Name: theirs\nVersion: 1.0\n", "theirs-1.0.dist-info/METADATA")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [point.name for point in installed()] == ["broken_type", "their_type"]
    assert model_type("their_type").name == "example"
    assert model_type("arithmetic_reasoning").name == "arithmetic_reasoning"
    with pytest.raises(Malformed, match="AttributeError"):
        model_type("broken_type")
    with pytest.raises(NotFound) as missing:
        model_type("their_typ")
    assert "their_type" in missing.value.right


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("sentiment_analysys", "did you mean 'sentiment_analysis'?"),
        ("zzzz", "or path/to/file.py"),
        ("nowhere/own.py", "a file with a type as TYPE"),
        ("/tmp", "a folder with such an __init__.py"),
        ("", "or path/to/file.py"),
    ],
)
def test_what_is_not_there_is_told(name: str, right: str) -> None:
    with pytest.raises(NotFound) as missing:
        model_type(name)
    assert right in missing.value.right


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("LETTERS = ", "LETTERS == ", "NameError: name 'LETTERS' is not defined"),
        ("    def __init__(self)", "    def __init__(self))", "SyntaxError: unmatched ')'"),
        ("import re\n", "import rex\n", "ModuleNotFoundError: No module named 'rex'"),
        ("TYPE = Example()", "TYPE = 1 / 0", "ZeroDivisionError: division by zero"),
        ("TYPE = Example()", "raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_an_error_in_somebodys_file_names_its_line(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    text = EXAMPLE.replace(before, after, 1)
    place = own(tmp_path, text)
    with pytest.raises(Malformed) as wrong:
        model_type(place)
    assert said in wrong.value.what
    assert wrong.value.where == f"{place}:{line_of(text, after)}"


def test_an_error_inside_a_library_is_told_by_the_line_that_called_it(tmp_path: Path) -> None:
    text = EXAMPLE.replace("count: int = Field(ge=0)", "count: print", 1)
    place = own(tmp_path, text)
    with pytest.raises(Malformed) as wrong:
        model_type(place)
    assert "PydanticSchemaGenerationError" in wrong.value.what
    assert wrong.value.where == f"{place}:{line_of(text, 'class Answer')}"
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "nothing in it is named 'TYPE'"),
        ("TYPE = 3\n", "the type lacks name, schema"),
        ("class A:\n    def __init__(self, n): ...\nTYPE = A\n", "TypeError"),
        (EXAMPLE.replace("    def verify(", "    def verified("), "the type lacks verify"),
        (EXAMPLE.replace("] = Answer", "] = dict"), "its schema is no pydantic model"),
    ],
)
def test_a_type_that_is_not_whole_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Malformed) as wrong:
        model_type(own(tmp_path, text))
    assert said in wrong.value.what


def test_an_error_at_work_is_told_by_the_line_of_the_type(tmp_path: Path) -> None:
    text = EXAMPLE.replace("word, letter = _parts(problem.prompt)", "word, letter = None", 1)
    place = own(tmp_path, text)
    kind = model_type(place)
    with pytest.raises(Malformed) as wrong:
        blamed(Path(place), "solving", lambda: kind.solve(next(kind.problems(1))))
    assert wrong.value.where == f"{place}:{line_of(text, 'word, letter = None')}"
    assert wrong.value.what.startswith("solving ended with TypeError")


def test_a_file_that_failed_is_read_anew_when_it_is_mended(tmp_path: Path) -> None:
    place = own(tmp_path, "1 / 0")
    with pytest.raises(Malformed):
        model_type(place)
    own(tmp_path, EXAMPLE + "\n")
    assert model_type(place).name == "example"


def test_more_problems_than_there_are_cannot_be_held_out() -> None:
    few = (problem(f"{n % 100}", n % 100, 0.5) for n in range(10**6))
    with pytest.raises(Refused) as refused:
        for_evaluation(few, 50)
    assert "at most" in refused.value.right
