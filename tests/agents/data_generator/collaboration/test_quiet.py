"""Nothing is told to a tracing service, whatever the environment says; nothing is unpickled."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from agents.data_generator.collaboration.graph import GRAPH
from events.errors import Malformed
from tests.agents.data_generator.collaboration.models import APPROVES, RIGHT, Models, desk
from tests.agents.data_generator.collaboration.part import QUANTITY
from tests.guardrails.server import Server
from tests.infra.processes import ROOT, environment

PART = "tests.agents.data_generator.collaboration.part"
TRACED = """
from langchain_core.tracers.langchain import wait_for_all_tracers
from langgraph.graph import END, START, StateGraph
graph = StateGraph(dict)
graph.add_node("node", lambda state: {})
graph.add_edge(START, "node")
graph.add_edge("node", END)
graph.compile().invoke({})
wait_for_all_tracers()
"""
"""What a graph does that takes its callbacks from the environment."""
AND_WAIT = f"""
import sys
from pathlib import Path
from langchain_core.tracers.langchain import wait_for_all_tracers
from {PART} import main
main(sys.argv[1], Path(sys.argv[2]))
wait_for_all_tracers()
"""


class Ear(NamedTuple):
    """A port on which somebody listens, and what was heard there."""

    port: int
    heard: list[bytes]


@asynccontextmanager
async def listening() -> AsyncIterator[Ear]:
    ear: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ear.append(await reader.read(200))
        writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    try:
        yield Ear(server.sockets[0].getsockname()[1], ear)
    finally:
        server.close()


async def runs(script: str, environment: dict[str, str], *words: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *words, cwd=ROOT, env=environment
    )
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_no_service_hears_of_a_collaboration(tmp_path: Path) -> None:
    async with listening() as ear, Server(Models(RIGHT, APPROVES)) as server:
        there = f"http://127.0.0.1:{ear.port}"
        wishes = {
            "LANGSMITH_TRACING": "true",
            "LANGCHAIN_TRACING_V2": "true",
            "LANGSMITH_API_KEY": "lsv2_pt_0",
            "LANGSMITH_ENDPOINT": there,
        }
        await runs(TRACED, environment(**wishes))
        assert ear.heard, "a graph that is not careful tells everything"
        ear.heard.clear()
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), there)
        url = f"http://127.0.0.1:{server.port}/v1"
        await runs(AND_WAIT, environment(**wishes, **proxies), url, str(tmp_path))
    assert ear.heard == []
    assert len(json.loads((tmp_path / "made.json").read_text())["rows"]) == QUANTITY


async def test_a_wish_for_the_tracing_of_former_years_is_told_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGCHAIN_TRACING", "true")
    async with desk(tmp_path, RIGHT, APPROVES) as at:
        with pytest.raises(Malformed, match="a tracing that no longer exists"):
            await at.made(quantity=1)


def test_the_graph_reads_nothing_that_was_packed() -> None:
    assert GRAPH.checkpointer is False
    assert GRAPH.store is None
    assert GRAPH.cache is None
