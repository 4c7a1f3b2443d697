"""A small history that many tests read and none changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.infra.cli.saying import document


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two roles, a training that began, one that was rejected, a schedule, a policy."""
    folder = tmp_path_factory.mktemp("history")
    home = folder / "home"
    (folder / "policy.yaml").write_text("agent: trainer\nmax_attempts: 2\n")
    document(home, "init", cwd=folder)
    document(home, "roles", "apply", "roles", cwd=folder)
    words = ("publish", "TrainingRequested", "pipeline=rehearsal", "base=tiny")
    document(home, *words, "role=support", "--wait")
    document(home, *words, "role=suport", "--wait", code=1)
    document(home, "policies", "apply", "policy.yaml", cwd=folder)
    document(home, "schedules", "add", "nightly", "--cron", "0 3 * * *")
    return home


@pytest.fixture
def copy(history: Path, tmp_path: Path) -> Path:
    """The same history, to change."""
    return Path(shutil.copytree(history, tmp_path / "copy"))
