"""Experts as a server of an OpenAI-compatible kind: two paths, and honest cards of its models."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from hmac import compare_digest
from typing import Any

from events.errors import Malformed, NotFound, RatchetError, TooLarge
from infra.experts.expert import Expert, Reply
from infra.experts.reading import Asked, read

log = logging.getLogger(__name__)

LARGEST = 8 << 20
"""Bytes of one request."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Stranger(RatchetError):
    """The caller has no key to this server, or another one."""


class Failed(RatchetError):
    """The type itself is at fault."""


class App:
    """An ASGI application."""

    def __init__(self, experts: Mapping[str, Expert], key: str = "") -> None:
        self._experts, self._key = experts, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            status, answer = 200, await self._answer(scope, receive)
        except RatchetError as error:
            status, answer = _status(error), _error(error)
        except Exception as error:  # of a type of somebody's own
            log.warning("the expert failed: %r", error)
            failed = Failed(f"the expert failed with {type(error).__name__}")
            status, answer = _status(failed), _error(failed)
        body = json.dumps(answer, ensure_ascii=False).encode(errors="backslashreplace")
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> dict[str, Any]:
        self._let_in(scope)
        match scope["method"], scope["path"].rstrip("/"):
            case "GET", "/v1/models":
                return {"object": "list", "data": [one.card() for one in self._experts.values()]}
            case "GET", path if path.startswith("/v1/models/"):
                return self._expert(path.removeprefix("/v1/models/")).card()
            case "POST", "/v1/chat/completions":
                return await self._completed(await _body(receive))
        right = "GET /v1/models, or POST /v1/chat/completions"
        raise NotFound("there is nothing at this path", where=scope["path"][:100], right=right)

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

    def _let_in(self, scope: Scope) -> None:
        if not self._key:
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not compare_digest(given, f"Bearer {self._key}".encode()):
            raise Stranger("this key is not known here", where="authorization")


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Malformed("the request broke off", where="body")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST:
            right = f"at most {LARGEST:,} bytes"
            raise TooLarge("the request is too large", where="body", right=right)
        if not message.get("more_body"):
            return b"".join(parts)


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


def _status(error: RatchetError) -> int:
    match error:
        case Stranger():
            return 401
        case NotFound():
            return 404
        case TooLarge():
            return 413
        case Malformed():
            return 400
    return 500


def _error(error: RatchetError) -> dict[str, Any]:
    kind = "invalid_request_error" if _status(error) < 500 else "server_error"
    said = {"message": str(error), "type": kind, "param": error.where or None, "code": None}
    return {"error": said}
