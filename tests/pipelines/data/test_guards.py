"""Evaluation sets as data is searched for them: all of them, or there is no clean data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from events.artifacts import Artifacts
from events.catalog.training import Artifact
from events.errors import Malformed, NotFound
from pipelines.data import guards
from pipelines.data.guards import evaluation_texts


def kept(artifacts: Artifacts, content: bytes) -> Artifact:
    ref = artifacts.put(content)
    return Artifact(kind="evaluation", sha256=ref.sha256, size=ref.size)


def test_every_set_is_looked_for_and_one_that_has_two_names_once(tmp_path: Path) -> None:
    artifacts = Artifacts(str(tmp_path))
    long = "an answer of more than eight words is looked for as well"
    first = kept(artifacts, json.dumps({"prompt": "one?", "answer": long}).encode())
    second = kept(artifacts, b'{"prompt": "two?", "answer": "short"}\n{"prompt": "three?"}\n')
    found = evaluation_texts(artifacts.read, [first, second, first])
    assert found == ["one?", long, "two?", "three?"]


@pytest.mark.parametrize("content", [b"no rows", b"[1]\n", b'{"x": ' + b"[" * 100_000])
def test_a_set_that_is_none_stops_whoever_makes_data(tmp_path: Path, content: bytes) -> None:
    artifacts = Artifacts(str(tmp_path))
    with pytest.raises(Malformed, match="searched for a registered evaluation set") as wrong:
        evaluation_texts(artifacts.read, [kept(artifacts, content)])
    assert "ratchet data guard" in wrong.value.right


def test_so_does_one_that_is_gone_or_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = Artifacts(str(tmp_path))
    gone = Artifact(kind="evaluation", sha256="sha256:" + "0" * 64, size=1)
    with pytest.raises(NotFound, match="there is no such artifact"):
        evaluation_texts(artifacts.read, [gone])
    monkeypatch.setattr(guards, "LARGEST", 10)
    with pytest.raises(Malformed, match="larger than 10 bytes"):
        evaluation_texts(artifacts.read, [kept(artifacts, b'{"prompt": "a long one"}\n')])
