"""A base that many tests start from: made once, then found by the hash of its recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainers.sums import Sums


@pytest.fixture(scope="session")
def bases(request: pytest.FixtureRequest) -> Path:
    """Where bases are kept from one run of the tests to the next."""
    return Path(request.config.cache.mkdir("bases"))


@pytest.fixture(scope="session")
def base(bases: Path) -> Path:
    """A model of sums that is right in about a third of them; nobody writes here."""
    from trainers.tiny import make_tiny_base  # torch, which not every test here needs

    return make_tiny_base(Sums(), seed=0, size="tiny", level=0.35, folder=bases)
