"""An address that is wrong in the settings is told by the setting, with what would be right."""

from __future__ import annotations

import pytest

from events.errors import Malformed
from infra.settings import Model
from infra.teams import endpoint


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("127.0.0.1:8000/v1", "it is no address of http or https"),
        ("ftp://firm.example/v1", "it is no address of http or https"),
        ("http://firm.example/v1/chat/completions", "it goes on behind /v1"),
        ("https://me:secret@firm.example/v1", "a key has its own field"),
    ],
)
def test_a_wrong_address_is_told_with_its_setting(url: str, told: str) -> None:
    with pytest.raises(Malformed) as wrong:
        endpoint("teacher", Model(url=url, model="m"))
    assert wrong.value.where == "models.teacher.url"
    assert told in wrong.value.what
    assert wrong.value.right.startswith("the address up to and with /v1")
    assert "pydantic" not in str(wrong.value)
    assert "secret" not in str(wrong.value)


def test_an_address_without_a_model_is_told_too() -> None:
    with pytest.raises(Malformed) as wrong:
        endpoint("verifier", Model(url="http://127.0.0.1:8000/v1"))
    assert wrong.value.where == "models.verifier.model"


def test_where_nothing_is_configured_there_is_no_endpoint() -> None:
    assert endpoint("teacher", Model()) is None
