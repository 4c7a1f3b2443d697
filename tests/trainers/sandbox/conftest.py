"""Skips what needs walls on a machine that has none; with Landlock there is no such excuse."""

from __future__ import annotations

import pytest

from trainers.sandbox import landlock, seccomp
from trainers.sandbox.choose import Unprotected
from trainers.sandbox.sandbox import sandbox


@pytest.fixture(scope="session")
def walls_hold() -> None:
    try:
        sandbox()
    except Unprotected as why:
        if seccomp.supported() and landlock.version():
            raise
        pytest.skip(str(why))
