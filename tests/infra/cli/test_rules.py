"""`roles` and `policies`: files that people write, applied to the history once."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.infra.cli.saying import document, kept, refused, said

ROLE = "name: support\npurpose: Answer questions.\nmodel_type: chat\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "support.yaml"
    written.write_text(ROLE)
    return written


def test_a_role_is_applied_once_and_again_when_it_has_changed(home: Path, file: Path) -> None:
    first = document(home, "roles", "apply", str(file))
    assert (first["role"], first["changed"], first["position"]) == ("support", True, 1)
    assert first["applied"] == [
        {key: first[key] for key in ("role", "changed", "position", "file")}
    ]
    again = document(home, "roles", "apply", str(file))
    assert (again["changed"], again["position"]) == (False, 1)
    file.write_text(ROLE + "# a remark\nkind: generation\n")
    assert document(home, "roles", "apply", str(file))["changed"] is False
    file.write_text(ROLE + "kind: interaction\n")
    assert document(home, "roles", "apply", str(file))["position"] == 2
    shown = document(home, "roles", "show", "support")
    assert shown["profile"]["kind"] == "interaction"
    assert [row["role"] for row in document(home, "roles", "list")["roles"]] == ["support"]


def test_several_files_and_folders_are_read_before_anything_is_written(
    home: Path, file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "roles"
    folder.mkdir()
    (folder / "a.json").write_text('{"name": "a", "purpose": "b", "model_type": "c"}')
    (folder / "notes.txt").write_text("no role")
    (folder / "z.yml").write_text("name: z\n")
    refused(
        said(home, "roles", "apply", str(file), str(folder)), 2, "z.yml", "'purpose' is missing"
    )
    assert not home.exists()
    (folder / "z.yml").unlink()
    applied = document(home, "roles", "apply", str(file), str(folder))["applied"]
    assert [(row["role"], row["position"]) for row in applied] == [("support", 1), ("a", 2)]


WRONG = {
    "a misspelt field": (ROLE + "weigths: {a: 1}\n", "(FILE, weigths)", "'weights'"),
    "a field at the wrong level": (ROLE + "latency_ms: 5\n", "'requirements.latency_ms'"),
    "a wrong value": (ROLE + "kind: talk\n", "(FILE, kind)", "'interaction'"),
    "two that contradict each other": (
        ROLE + "tier: gold\nrequirements:\n  latency_ms: 90\n",
        "(FILE, requirements.latency_ms)",
        "within 16 ms",
    ),
    "a key twice": (ROLE + "name: other\n", "'name' stands there twice, line 4"),
    "no YAML": ("name: [support\n", "(FILE)", "not YAML"),
    "a list": ("- name: support\n", "holds no fields"),
    "nothing": ("", "holds no fields"),
    "a number as a key": (ROLE + "1: 2\n", "the key '1'"),
    "a thing of Python's": ("name: !!python/name:os.system\n", "not YAML"),
    "an endless one": ("a: &a [*a]\n", "too much"),
    "a bomb": (
        "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in pairwise("abcdefgh")),
        "too much",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_that_holds_no_role_is_refused_with_its_place(
    home: Path, file: Path, what: str
) -> None:
    text, *parts = WRONG[what]
    file.write_text(text)
    ended = said(home, "roles", "apply", str(file))
    refused(ended, 2, str(file), *(part.replace("FILE", str(file)) for part in parts))
    assert not home.exists()


def test_a_file_that_is_no_text_or_is_not_there_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"name: \xff\xfe")
    refused(said(home, "roles", "apply", str(tmp_path / "bytes.yaml")), 2, "not YAML in UTF-8")
    (tmp_path / "large.yaml").write_bytes(b"# " + b"x" * 2_000_000)
    refused(said(home, "roles", "apply", str(tmp_path / "large.yaml")), 2, "2,000,002 bytes")
    refused(said(home, "roles", "apply", str(tmp_path / "absent.yaml")), 3, "no such file")
    (tmp_path / "empty").mkdir()
    refused(said(home, "roles", "apply", str(tmp_path / "empty")), 3, "no file to apply")


def test_a_role_written_twice_is_refused(home: Path, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "again.yaml"
    other.write_text(ROLE)
    refused(said(home, "roles", "apply", str(file), str(other)), 2, "'support' is written twice")


def test_a_role_that_is_not_there_is_not_found(history: Path) -> None:
    refused(said(history, "roles", "show", "suport"), 3, "did you mean 'support'?")
    refused(said(history, "roles", "show", "x"), 3, "there are: sentiment, support")


def test_yaml_is_read_plainly(home: Path, file: Path) -> None:
    file.write_text(ROLE + "data: {languages: [no, en]}\nweights: {cost: 1e-1, speed: 3}\n")
    document(home, "roles", "apply", str(file))
    profile = document(home, "roles", "show", "support")["profile"]
    assert profile["data"]["languages"] == ["no", "en"]
    assert profile["weights"] == {"cost": 0.1, "speed": 3.0}


def test_policies_are_applied_once_and_defaults_are_told(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "trainer.yaml"
    file.write_text("agent: trainer\nmax_attempts: 5\n")
    assert document(home, "policies", "show", "trainer")["adopted_at"] is None
    first = document(home, "policies", "apply", str(file))
    assert (first["agent"], first["changed"], first["position"]) == ("trainer", True, 1)
    assert document(home, "policies", "apply", str(file))["changed"] is False
    rows = document(home, "policies", "list")["policies"]
    assert {row["agent"]: row["policy"]["max_attempts"] for row in rows if row["adopted_at"]} == {
        "trainer": 5
    }
    file.write_text("agent: trainer\nmax_attempts: 0\n")
    before = kept(home)
    refused(said(home, "policies", "apply", str(file)), 2, str(file), "max_attempts", "from 1 to")
    refused(said(home, "policies", "show", "trainr"), 3, "did you mean 'trainer'?")
    assert kept(home) == before
