"""The golden files are what the code says today."""

from __future__ import annotations

import pytest

from tests.golden.write import FILES, HERE


@pytest.mark.parametrize("name", FILES)
def test_a_golden_file_is_up_to_date(name: str) -> None:
    kept = (HERE / name).read_text(encoding="utf-8")
    assert FILES[name]() == kept, "read what changed; if it is meant, run `make golden`"
