"""Experts as a server of an OpenAI-compatible kind: two paths, and honest cards of its models."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

from events.errors import NotFound
from infra.endpoint import EndpointApp, Receive, body_of
from infra.experts.expert import Expert, Reply
from infra.experts.reading import Asked, read


class App(EndpointApp):
    """Answers as the experts do."""

    paths = "GET /v1/models, or POST /v1/chat/completions"

    def __init__(self, experts: Mapping[str, Expert], key: str = "") -> None:
        super().__init__(key)
        self._experts = experts

    async def answer(self, method: str, path: str, receive: Receive) -> dict[str, Any] | None:
        match method, path:
            case "GET", "/v1/models":
                return {"object": "list", "data": [one.card() for one in self._experts.values()]}
            case "GET", path if path.startswith("/v1/models/"):
                return self._expert(path.removeprefix("/v1/models/")).card()
            case "POST", "/v1/chat/completions":
                return await self._completed(await body_of(receive))
        return None

    async def _completed(self, body: bytes) -> dict[str, Any]:
        asked = read(body)
        reply = await self._expert(asked.model).answer(asked)
        return _completion(asked, reply, hashlib.sha256(body).hexdigest()[:24])

    def _expert(self, model: str) -> Expert:
        found = self._experts.get(model)
        if found is None:
            right = f"one of {', '.join(self._experts)}"
            raise NotFound(f"there is no model {model[:100]!r}", where="model", right=right)
        return found


def _completion(asked: Asked, reply: Reply, name: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    finish = "stop"
    if reply.declines:
        message["refusal"] = reply.declines
    elif asked.way == "tool":
        finish = "tool_calls"
        called = {"name": asked.tool, "arguments": reply.text}
        message["content"] = None
        message["tool_calls"] = [{"id": f"call_{name}", "type": "function", "function": called}]
    written = len(reply.text) // 4 + 1
    return {
        "id": f"chatcmpl-{name}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": asked.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": {
            "prompt_tokens": asked.tokens,
            "completion_tokens": written,
            "total_tokens": asked.tokens + written,
        },
    }
