"""`models.embedder: local`, in a file and in the environment, and beside longer forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.errors import RatchetError, UnknownType
from infra.settings import configuration


@pytest.mark.parametrize(
    "text", ["models: {embedder: local}", "models:\n  embedder:\n    url: local\n"]
)
def test_the_short_form_is_the_address(tmp_path: Path, text: str) -> None:
    (tmp_path / "ratchet.yaml").write_text(text)
    found = configuration(folder=tmp_path)
    assert found.settings.models.embedder.url == "local"
    origin = next(one for one in found.origins if one.key == "models.embedder.url")
    assert origin.origin == str(tmp_path / "ratchet.yaml")


def test_the_environment_is_heard_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ratchet.yaml").write_text("models: {embedder: {url: 'http://127.0.0.1:1/v1'}}")
    monkeypatch.setenv("RATCHET__MODELS__EMBEDDER", "local")
    assert configuration(folder=tmp_path).settings.models.embedder.url == "local"


def test_only_the_embedder_has_a_short_form(tmp_path: Path) -> None:
    (tmp_path / "ratchet.yaml").write_text("models: {teacher: local}")
    with pytest.raises(UnknownType, match=r"models\.teacher"):
        configuration(folder=tmp_path)


def test_an_allowance_of_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ratchet.yaml").write_text("models: {embedder: {tokens_per_day: 0}}")
    with pytest.raises(RatchetError, match="tokens_per_day"):
        configuration(folder=tmp_path)
