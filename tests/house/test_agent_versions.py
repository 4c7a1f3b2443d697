"""No agent changes its mind under the same version, and only a change of mind counts."""

from pathlib import Path

import pytest

from tests.house.agent_versions import code_behind, complaints, fingerprints, main, write

TREE = {
    "agents/__init__.py": "",
    "agents/trainer/__init__.py": "",
    "agents/trainer/decide.py": 'from agents.trainer import bar\nVERSION = "1"\n',
    "agents/trainer/state.py": "from events.catalog import Started\n",
    "agents/trainer/bar.py": "from pipelines.gates import BAR\n",
    "agents/trainer/workers/__init__.py": "",
    "agents/trainer/workers/jobs.py": "import trainers.sft\n",
    "events/catalog/__init__.py": "from events.catalog.runs import Started\n",
    "events/catalog/runs.py": 'import json\nclass Started:\n    run: str\n    "Which one."\n',
    "events/unrelated.py": "x = 1\n",
    "pipelines/gates.py": "BAR = 0.8\ndef late():\n    import events.unrelated\n",
    "trainers/sft.py": "",
    "tests/house/anatomy.py": "",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small house with one agent, its fingerprint kept."""
    for path, text in TREE.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert not write(tmp_path)
    return tmp_path


def change(tree: Path, path: str, old: str, new: str) -> None:
    text = (tree / path).read_text()
    assert old in text
    (tree / path).write_text(text.replace(old, new, 1))


def test_what_was_kept_is_agreed_with(tree: Path) -> None:
    assert complaints(tree) == []


def test_the_code_behind_an_agent_is_followed_to_the_last(tree: Path) -> None:
    assert code_behind(tree, "trainer") == [
        "agents/trainer/__init__.py",
        "agents/trainer/bar.py",
        "agents/trainer/decide.py",
        "agents/trainer/state.py",
        "events/catalog/__init__.py",
        "events/catalog/runs.py",
        "pipelines/gates.py",
    ]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("agents/trainer/decide.py", 'VERSION = "1"', 'VERSION = "1"\nx = 2'),
        ("agents/trainer/bar.py", "BAR", "BAR as bar"),
        ("pipelines/gates.py", "0.8", "0.9"),
        ("events/catalog/runs.py", "run: str", "run: int"),
    ],
)
def test_a_change_under_the_same_version_is_refused(
    tree: Path, path: str, old: str, new: str
) -> None:
    change(tree, path, old, new)
    [complaint] = complaints(tree)
    assert "the code behind trainer's decisions has changed, its VERSION is still '1'" in complaint
    assert path in complaint
    assert write(tree) == [complaint]
    assert complaints(tree) == [complaint]


def test_a_change_with_its_version_has_only_to_be_kept(tree: Path) -> None:
    change(tree, "pipelines/gates.py", "0.8", "0.9")
    change(tree, "agents/trainer/decide.py", '"1"', '"2"')
    [complaint] = complaints(tree)
    assert "it knows version '1' of trainer, agents/trainer/decide.py says '2'" in complaint
    assert write(tree) == []
    assert complaints(tree) == []


def test_before_the_first_release_a_version_may_stay(tree: Path) -> None:
    change(tree, "pipelines/gates.py", "0.8", "0.9")
    assert write(tree, unreleased=True) == []
    assert complaints(tree) == []


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("events/catalog/runs.py", "Which one.", "The run."),
        ("pipelines/gates.py", "BAR = 0.8", '"""Gates."""\n\nBAR = 0.80  # high\n\n'),
        ("events/unrelated.py", "1", "2"),
        ("agents/trainer/workers/jobs.py", "trainers.sft", "trainers"),
    ],
)
def test_what_changes_no_decision_does_not_count(tree: Path, path: str, old: str, new: str) -> None:
    change(tree, path, old, new)
    assert complaints(tree) == []


def test_an_agent_without_a_version_is_refused(tree: Path) -> None:
    change(tree, "agents/trainer/decide.py", 'VERSION = "1"', "VERSION = 1")
    assert any('a line VERSION = "1"' in complaint for complaint in complaints(tree))
    assert any('a line VERSION = "1"' in complaint for complaint in write(tree, unreleased=True))


def test_a_new_agent_and_a_gone_one_are_noticed(tree: Path) -> None:
    (tree / "agents/trainer").rename(tree / "agents/coach")
    for name in ("decide", "bar"):
        file = tree / "agents/coach" / f"{name}.py"
        file.write_text(file.read_text().replace("trainer", "coach"))
    new, gone = complaints(tree)
    assert "it knows no version of coach" in new
    assert "it names trainer, but agents/trainer/decide.py is gone" in gone


def test_a_house_without_agents_agrees(tmp_path: Path) -> None:
    assert fingerprints(tmp_path) == {}
    assert complaints(tmp_path) == []


def test_the_command_tells_by_its_exit_code(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], root=tree) == 0
    assert capsys.readouterr().out == ""
    change(tree, "pipelines/gates.py", "0.8", "0.9")
    assert main([], root=tree) == 1
    assert main(["--write"], root=tree) == 1
    assert "Right would be: the next VERSION" in capsys.readouterr().out
    assert main(["--write", "--unreleased"], root=tree) == 0
    with pytest.raises(SystemExit, match="2"):
        main(["--unreleased"], root=tree)
