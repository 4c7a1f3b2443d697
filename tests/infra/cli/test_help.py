"""Help is quick, loads nothing heavy, and is there for every command."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from infra.cli.main import COMMANDS
from tests.infra.cli.saying import really_all, said
from tests.infra.processes import RATCHET, ROOT

HEAVY = {
    "torch", "transformers", "langgraph", "qdrant_client", "qdrant_edge", "openai", "fastapi",
    "starlette", "uvicorn", "sqlmodel", "sqlalchemy", "alembic", "apscheduler", "nats",
    "faststream",
}  # fmt: skip
LOADS = (
    "import sys; sys.argv[1:] = {words!r}\n"
    "from infra.cli.main import main\n"
    "try: main()\n"
    "except SystemExit: pass\n"
    "print(*sorted(set(name.partition('.')[0] for name in sys.modules)), file=sys.stderr)"
)


def loaded(*words: str) -> set[str]:
    """The packages that are in memory when a command has ended."""
    script = LOADS.format(words=list(words))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines()[-1].split())


def takes(*words: str) -> float:
    """Seconds of a processor that a command takes; what else runs just now is not its fault."""
    best = float("inf")
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*RATCHET, *words], cwd=ROOT, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return best


def test_help_loads_no_framework_and_no_database() -> None:
    packages = loaded("--help")
    assert "typer" in packages
    assert not packages & (HEAVY | {"pydantic", "cryptography", "yaml", "sqlite3"})


@pytest.mark.parametrize(
    "words", [("publish", "AgentResumed", "agent=trainer"), ("events", "list"), ("runs", "list")]
)
def test_what_is_called_often_loads_no_framework(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert not loaded("--home", str(tmp_path), *words) & (HEAVY | {"yaml"})


def test_help_answers_within_300_ms() -> None:
    assert takes("--help") < 0.3


def test_publish_and_events_answer_within_400_ms(tmp_path: Path) -> None:
    home = ("--home", str(tmp_path))
    assert takes(*home, "publish", "AgentResumed", "agent=trainer") < 0.4
    assert takes(*home, "events", "list") < 0.4


def test_a_command_shows_its_own_help(tmp_path: Path) -> None:
    """The words of all of them are in tests/golden."""
    some = ("publish", "what-if", "up", "runs")
    for name, ended in zip(
        some, really_all(tmp_path, [(name, "--help") for name in some]), strict=True
    ):
        assert ended.code == 0, ended
        assert ended.out.startswith(f"Usage: ratchet {name} ")
        assert "--install-completion" not in ended.out
    assert list(tmp_path.iterdir()) == []


def test_no_command_at_all_shows_the_table(tmp_path: Path) -> None:
    ended = said(tmp_path)
    assert ended.code == 2
    assert all(f"\n  {name} " in ended.err for name in COMMANDS)
