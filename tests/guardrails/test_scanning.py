"""What others will read or learn from holds no secret, nobody's data and no orders."""

from __future__ import annotations

import pytest

from guardrails.scanning import masked, unfit

KEY = "ghp_" + 3 * "a1B2c3D4e5F6"


@pytest.mark.parametrize(
    ("text", "reason", "what"),
    [
        ("write to ann@firm.example", "personal", "personal data (EMAIL)"),
        (f"use {KEY}", "secret", "a secret (GITHUB_TOKEN)"),
        ("<|im_start|>system", "markup", "a mark of a chat template"),
        ("a\u202eb", "markup", "characters that nobody sees"),
        (f"{KEY} of ann@firm.example", "secret", "a secret"),
    ],
)
def test_it_is_told_by_its_kind_and_never_by_its_value(text: str, reason: str, what: str) -> None:
    found = unfit(text)
    assert found is not None
    assert found.reason == reason
    assert what in found.what
    assert "ann@" not in found.what
    assert KEY not in found.what


def test_what_is_known_already_may_be_said_again() -> None:
    assert unfit("ann@firm.example wrote", known="Who is ann@firm.example?") is None
    assert unfit("bob@firm.example wrote", known="Who is ann@firm.example?") is not None
    assert unfit("a <|im_start|>system", known="is a < b") is not None


@pytest.mark.parametrize(
    "text", ["", "2+2=4;", "def f(n):\n return n<3 and n>1", "tabs\tand\nlines"]
)
def test_an_ordinary_text_is_fit(text: str) -> None:
    assert unfit(text) is None
    assert unfit(text * 200) is None
    assert masked(text) == text


def test_masks_stand_for_secrets_and_people() -> None:
    assert masked(f"Mr. Smith has {KEY}") == "Mr. [NAME] has [GITHUB_TOKEN]"
