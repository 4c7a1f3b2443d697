"""Experts on a real port, in the process of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
from pydantic import SecretStr

from guardrails.budget import Budget
from guardrails.caller import Caller
from guardrails.calls import Answer, Message
from guardrails.endpoint import Endpoint, Rung
from infra.experts.app import App
from infra.experts.expert import experts_of
from infra.experts.server import serve
from infra.sockets import listening_socket
from trainers.model_types.finding import model_type


class Place(NamedTuple):
    """Where experts answer."""

    url: str
    key: str

    async def asked(
        self,
        model: str,
        text: str,
        answer: Any = None,
        rung: Rung | None = None,
    ) -> Answer:
        """What a model there says to one message, asked as every model is asked."""
        endpoint = Endpoint(
            name="expert", url=self.url, model=model, key=SecretStr(self.key), rung=rung
        )
        caller = Caller([endpoint])
        try:
            messages = [Message("system", "Solve it."), Message("user", text)]
            return await caller.ask("expert", messages, budget=Budget(), answer=answer)
        finally:
            await caller.close()

    async def http(self, method: str, path: str, **how: Any) -> httpx.Response:
        """A request as anybody may send it."""
        mine = {"authorization": f"Bearer {self.key}"} if self.key else {}
        headers = {**mine, **how.pop("headers", {})}
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.request(method, self.url + path, headers=headers, **how)


@asynccontextmanager
async def serving(*kinds: Any, key: str = "") -> AsyncIterator[Place]:
    """Experts of these types, given by name or as they are."""
    types = [model_type(one) if isinstance(one, str) else one for one in kinds]
    stop = asyncio.Event()
    with listening_socket("127.0.0.1", 0, insist=True) as door:
        port = door.getsockname()[1]
        task = asyncio.create_task(serve(App(experts_of(types), key), door, stop.wait()))
        try:
            yield Place(f"http://127.0.0.1:{port}/v1", key)
        finally:
            stop.set()
            await task
