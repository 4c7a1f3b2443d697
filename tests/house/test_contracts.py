"""The contracts of pyproject.toml, tried on small houses: one in order, one where all is broken."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.house.source import FOLDERS, ROOT

IN_ORDER = {
    "agents/agent.py": "import events.log",
    "agents/shell.py": "import agents.agent",
    "agents/data_generator/__init__.py": "",
    "agents/data_generator/workers.py": "import langgraph.graph, guardrails.caller, agents.shell",
    "agents/trainer/__init__.py": "import pipelines",
    "events/log.py": "",
    "events/nats/__init__.py": "import nats",
    "events/nats/bus.py": "import faststream.nats, events.log",
    "events/sql/__init__.py": "import sqlmodel",
    "events/sql/store.py": "import sqlalchemy.orm, sqlite3, asyncpg, events.log",
    "guardrails/caller.py": "import openai, httpx2",
    "infra/assemble.py": "import infra.api, infra.clock, agents.trainer, events.sql.store",
    "infra/api/__init__.py": "import fastapi, uvicorn",
    "infra/cli/__init__.py": "",
    "infra/cli/main.py": "import typer, infra.assemble",
    "infra/clock/__init__.py": "import apscheduler.schedulers",
    "infra/http.py": "import httpx",
    "infra/settings.py": "import pydantic_settings",
    "memory/base.py": "import qdrant_client",
    "pipelines/dpo.py": "import events.log, trainers.dpo",
    "trainers/dpo.py": "import torch, trl",
}

BROKEN = {
    "Imports point down": {"events/a.py": "import memory"},
    "Agents are strangers to each other": {
        "agents/verifier/__init__.py": "import agents.trainer",
    },
    "The doors of infra meet only in assemble": {
        "infra/gateway/__init__.py": "import infra.api",
    },
    "SQL and database drivers only in events.sql": {"events/b.py": "import sqlite3"},
    "NATS only in events.nats": {"infra/c.py": "import nats.js"},
    "Training libraries only in trainers": {"pipelines/d.py": "import torch.nn"},
    "Qdrant only in memory": {"infra/e.py": "import qdrant_client"},
    "LangGraph only in agents.data_generator": {"agents/trainer/f.py": "import langgraph"},
    "Clients of models only in guardrails.caller": {"guardrails/g.py": "import openai"},
    "HTTP to the outside only in infra.http": {"infra/api/h.py": "import httpx"},
    "APScheduler only in infra.clock": {"infra/i.py": "import apscheduler"},
    "Command line and web servers only in infra": {"agents/j.py": "import fastapi"},
    "Settings only in infra.settings": {"infra/k.py": "import pydantic_settings"},
}


def contracts() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


def verdicts(house: Path, files: Mapping[str, str]) -> dict[str, str]:
    """What import-linter says of each contract in a house of these files."""
    for path in (*(f"{folder}/__init__.py" for folder in FOLDERS), *files):
        (house / path).parent.mkdir(parents=True, exist_ok=True)
        (house / path).write_text(files.get(path, ""))
    shutil.copy(ROOT / "pyproject.toml", house)
    script = "from importlinter.cli import lint_imports; lint_imports(no_cache=True)"
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=house, capture_output=True, text=True, check=False
    )
    return {
        name: verdict
        for name in contracts()
        for verdict in ("KEPT", "BROKEN")
        if f"{name} {verdict}" in ran.stdout
    }


def test_a_house_in_order_keeps_every_contract(tmp_path: Path) -> None:
    assert verdicts(tmp_path, IN_ORDER) == dict.fromkeys(contracts(), "KEPT")


def test_each_contract_can_be_broken(tmp_path: Path) -> None:
    files = dict(IN_ORDER)
    for astray in BROKEN.values():
        files |= astray
    assert verdicts(tmp_path, files) == dict.fromkeys(BROKEN, "BROKEN")
    assert list(BROKEN) == contracts()
