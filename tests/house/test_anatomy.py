"""The house as it stands keeps its rules, and each rule can tell when it is not kept."""

import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.house.anatomy import RULES, TREE_RULES, Finding, Rule, agent_folders
from tests.house.purity import PURITY
from tests.house.source import FOLDERS, ROOT, Source, sources

EVERY_RULE: dict[str, Rule] = {rule.__name__: rule for rule in (*RULES, *PURITY)}
TREE_RULE = {rule.__name__: rule for rule in TREE_RULES}

NO_STRANGERS = [
    ("a_module_says_what_it_is", "events/x.py", "import json\n", "no docstring"),
    ("a_file_ends_before_the_ceiling", "events/x.py", "x = 1\n" * 301, "301 lines"),
    ("a_name_is_a_subject", "events/utils.py", "", "'utils.py' names a kind of code"),
    ("a_name_is_a_subject", "memory/common/x.py", "", "'common' names a kind of code"),
    ("imports_are_plain", "events/x.py", "from . import log", "a relative import"),
    ("imports_are_plain", "events/x.py", "from events.log import *", "from events.log"),
    ("imports_are_plain", "agents/x.py", "def go():\n  import json", "go() imports json"),
    ("imports_are_plain", "infra/x.py", "async def go():\n  import json", "go() imports json"),
    ("settings_alone_read_the_environment", "infra/x.py", "import os\nos.environ", "os.environ"),
    ("settings_alone_read_the_environment", "events/x.py", "os.getenv('A')", "os.getenv"),
    ("settings_alone_read_the_environment", "memory/x.py", "from os import environ", "os.environ"),
    ("settings_alone_read_the_environment", "infra/x.py", "import pydantic_settings", "pydantic"),
    ("infra_says_no_events", "infra/api/x.py", "class A(Event): ...", "A is an event"),
    ("infra_says_no_events", "infra/x.py", "class A(message.Request): ...", "A is an event"),
    ("infra_says_no_events", "infra/x.py", "class A(B, wire='A'): ...", "A is an event"),
    (
        "infra_says_no_events",
        "infra/x.py",
        "from events.catalog.runs import RunStarted\nclass A(RunStarted): ...",
        "A is an event",
    ),
]

IMPURE = {
    "from agents.verifier.state import State": "imports agents.verifier.state",
    "from agents.shell import settle": "imports agents.shell",
    "from agents.trainer.workers.jobs import run": "imports agents.trainer.workers.jobs",
    "from agents.trainer import workers": "imports agents.trainer",
    "from events.sql.store import Store": "imports events.sql.store",
    "from events import nats": "imports events",
    "from trainers.sft import train": "imports trainers.sft",
    "import numpy": "imports numpy",
    "import random": "imports random",
    "from time import monotonic": "imports time",
    "from uuid import uuid4": "uses uuid4",
    "from events.ids import new_id": "uses new_id",
    "import uuid\nx = uuid.uuid1()": "uses uuid1",
    "from datetime import UTC, datetime\nx = datetime.now(UTC)": "uses now",
    "from datetime import datetime\nx = field(default_factory=datetime.now)": "uses now",
    "x = clock.utcnow()": "uses utcnow",
    "x = hash('a')": "uses hash",
    "x = open('a')": "uses open",
}

PURE = """
from __future__ import annotations
from dataclasses import replace
from datetime import timedelta
from agents.agent import Agent
from agents.trainer.state import State
from agents.trainer import mcda
from events.catalog.runs import RunStarted
from events.ids import derived_id
from pipelines import PIPELINES
def decide(state, event): return [state.now, event.id]
"""


@cache
def house() -> tuple[Source, ...]:
    return tuple(sources(ROOT, (*FOLDERS, "tests")))


def told(findings: list[Finding]) -> str:
    return "".join(f"\n{finding}" for finding in findings)


@pytest.mark.parametrize("name", EVERY_RULE)
def test_every_file_of_the_house_keeps_the_rule(name: str) -> None:
    broken = [finding for source in house() for finding in EVERY_RULE[name](source)]
    assert not broken, told(broken)


@pytest.mark.parametrize("name", TREE_RULE)
def test_every_folder_of_the_house_keeps_the_rule(name: str) -> None:
    broken = list(TREE_RULE[name](ROOT))
    assert not broken, told(broken)


def test_every_agent_is_named_where_agents_are_kept_apart() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c.get("containers") == ["agents"])
    missing = [f.name for f in agent_folders(ROOT) if f"({f.name})" not in layers[0]]
    assert not missing, (
        f"pyproject.toml: the contract over agents does not name {', '.join(missing)}."
        f" Right would be: its name in brackets in the first of its layers."
    )


@pytest.mark.parametrize(("rule", "path", "text", "wrong"), NO_STRANGERS)
def test_a_rule_tells_when_it_is_broken(rule: str, path: str, text: str, wrong: str) -> None:
    sentences = [str(finding) for finding in EVERY_RULE[rule](Source.of(path, text))]
    assert len(sentences) == 1
    assert sentences[0].startswith(f"{path}:")
    assert wrong in sentences[0]
    assert "Right would be: " in sentences[0]


@pytest.mark.parametrize(("text", "wrong"), IMPURE.items())
def test_a_decider_that_cannot_be_replayed_is_found(text: str, wrong: str) -> None:
    source = Source.of("agents/trainer/mcda.py", text)
    assert any(wrong in str(finding) for rule in PURITY for finding in rule(source))


@pytest.mark.parametrize("path", ["agents/trainer/workers/jobs.py", "agents/shell.py"])
def test_what_is_no_decider_may_act(path: str) -> None:
    source = Source.of(path, "\n".join(IMPURE))
    assert not [finding for rule in PURITY for finding in rule(source)]


def test_a_decider_may_be_written() -> None:
    source = Source.of("agents/trainer/decide.py", PURE)
    assert not [str(finding) for rule in PURITY for finding in rule(source)]


def test_commands_may_load_late_and_settings_may_read() -> None:
    late = Source.of("infra/cli/main.py", '"""x"""\ndef up():\n    import fastapi')
    read = Source.of("infra/settings.py", '"""x"""\nimport os\nos.environ["A"]')
    assert not [f for rule in RULES for source in (late, read) for f in rule(source)]


def test_a_folder_that_is_no_package_and_half_an_agent_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "agents" / "trainer"
    folder.mkdir(parents=True)
    (folder / "decide.py").touch()
    (tmp_path / "agents" / "__init__.py").touch()
    found = {str(finding).split(":")[0] for rule in TREE_RULES for finding in rule(tmp_path)}
    assert found == {"agents/trainer/__init__.py", "agents/trainer/state.py"}


def test_where_nothing_is_nothing_is_wrong(tmp_path: Path) -> None:
    assert not list(sources(tmp_path, FOLDERS))
    assert not [finding for rule in TREE_RULES for finding in rule(tmp_path)]
