"""Models are reached by the caller or not at all."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from guardrails.endpoint import Endpoint
from tests.house.source import FOLDERS, ROOT, Source, imports

CLIENTS = {"anthropic", "httpx2", "litellm", "mistralai", "ollama", "openai", "together"}

DOOR = "guardrails/caller.py"


def astray(source: Source) -> list[str]:
    """Clients of models that a file reaches, by whichever kind of import."""
    named = {found.module.split(".")[0] for found in imports(source.tree)}
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(
                func=ast.Name(id="__import__") | ast.Attribute(attr="import_module" | "find_spec"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                named.add(name.split(".")[0])
    return sorted(named & CLIENTS)


def test_no_other_module_imports_a_client_of_models() -> None:
    read, found = 0, {}
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            text, path = file.read_text(), file.relative_to(ROOT).as_posix()
            read += 1
            if any(name in text for name in CLIENTS) and (names := astray(Source.of(path, text))):
                found[path] = names
    assert read > 100
    assert found == {DOOR: ["httpx2", "openai"]}


@pytest.mark.parametrize(
    "text",
    [
        "import openai",
        "import openai.types as t",
        "from openai import AsyncOpenAI",
        "def f():\n    from httpx2 import Client",
        "import importlib\nimportlib.import_module('openai.lib')",
        "__import__('litellm')",
    ],
)
def test_every_kind_of_import_would_be_seen(text: str) -> None:
    assert astray(Source.of("agents/x.py", text)) != []


def test_the_client_is_loaded_by_the_door_alone() -> None:
    code = (
        "import sys, guardrails.budget, guardrails.calls, guardrails.endpoint, guardrails.quoting,"
        " guardrails.refusals\n"
        "loaded = {'openai', 'httpx2', 'phonenumbers', 'torch'} & sys.modules.keys()\n"
        "print(sorted(loaded))"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert said.stdout.strip() == "[]", said.stderr


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "127.0.0.1:8000/v1",
        "http://ann:secret@host/v1",
        "http://host/v1?key=secret",
        "http://host/v1#secret",
        "http:///v1",
    ],
)
def test_an_address_is_plain(url: str) -> None:
    with pytest.raises(ValueError, match="url") as told:
        Endpoint(name="a", url=url, model="m")
    assert "secret" not in str(told.value)


def test_a_price_is_by_the_million() -> None:
    endpoint = Endpoint(
        name="a", url="http://h/v1", model="m", price_in_per_1m=3.0, price_out_per_1m=15.0
    )
    assert endpoint.price(1000, 100) == pytest.approx(0.0045)
    assert endpoint.url == "http://h/v1"
