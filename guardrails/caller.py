"""The only door to any model: whoever wants one asked says so to a Caller.

Nothing else in this project imports a client of models; that is tested. What the client brings of
its own is not used: no retries, no parameters from the environment, no headers about this machine.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import httpx2
import openai
from pydantic import BaseModel

from events.errors import Malformed, NotFound
from events.suggest import near
from guardrails import asking, replies
from guardrails.attempts import Attempts, Most, Record, Sleep, Work
from guardrails.budget import Budget
from guardrails.calls import Answer, Call, Message
from guardrails.endpoint import Endpoint, Rung
from guardrails.keys import Keys
from guardrails.refusals import CallFailed
from guardrails.retrying import asked_for, kind_of
from guardrails.shapes import shape_of
from guardrails.structured import check_willing, structured

__all__ = ["Answer", "Call", "Caller", "Message"]

CHAT = "/chat/completions"
EMBEDDINGS = "/embeddings"
MOST_BYTES = {CHAT: 4 << 20, EMBEDDINGS: 32 << 20}
"""How long an answer may be."""
AT_ONCE = 64
"""Texts that are embedded by one call."""
CONNECTING = 10.0
"""Seconds until there is a connection."""
KEPT_OPEN = 4.0
"""Seconds: most servers close what is idle for five, and a call must not run into that."""

_TALKATIVE = ("httpcore2", "httpx2", "openai")
"""Loggers that would show whole requests and headers where everything else may debug."""
_HEARD = ("content-type", "retry-after", "retry-after-ms")


class Caller:
    """Asks models behind endpoints, within limits, and records every call. For one event loop."""

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        record: Record | None = None,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`record` is given every single call, failed ones included, before its answer is used."""
        known = list(endpoints)
        self._keys = Keys(one.key.get_secret_value() for one in known)
        self._wires = {one.name: _Wire(one, self._keys) for one in known}
        if len(self._wires) < len(known):
            raise Malformed("two endpoints have the same name", right="a name for each")
        self._ways = {
            one.name: Attempts(one, self._wires[one.name], record, sleep) for one in known
        }

    async def ask(
        self,
        endpoint: str,
        messages: Sequence[Message],
        *,
        budget: Budget,
        answer: type[BaseModel] | None = None,
        temperature: float = 0.0,
        seed: int | None = None,
        max_tokens: int = 2048,
    ) -> Answer:
        """What the model says; with `answer`, also as that class, validated."""
        way, work = self._way(endpoint), Work(budget)
        shape = shape_of(answer) if answer is not None else None

        async def say(told: Sequence[Message], rung: Rung) -> replies.Reply:
            body = asking.request(
                way.endpoint.model,
                [Message(one.role, self._keys.out_of(one.text)) for one in told],
                temperature=temperature,
                seed=seed,
                max_tokens=max_tokens,
                shape=shape,
                rung=rung,
            )
            most = Most(asking.most_tokens(body, shape), max_tokens)
            return await way.until_said(work, CHAT, body, most, replies.completion)

        rung: Rung = "text"
        value: BaseModel | None = None
        try:
            if answer is None:
                reply = await say(messages, rung)
                check_willing(reply, plainly=False)
            else:
                left = budget.seconds_left()
                reply, value, rung = await structured(say, way.ladder, messages, answer, left)
        except CallFailed as failure:
            failure.where = f"endpoint {endpoint}"
            raise
        return Answer(
            text=reply.text,
            value=value,
            rung=rung,
            tokens_in=work.tokens_in,
            tokens_out=work.tokens_out,
            money=work.money,
            seconds=time.monotonic() - work.begun,
            attempts=work.attempts,
            finish=reply.finish or "stop",
        )

    async def embed(
        self, endpoint: str, texts: Sequence[str], *, budget: Budget
    ) -> list[list[float]]:
        """A vector for each text."""
        way, work = self._way(endpoint), Work(budget)
        found: list[list[float]] = []
        for start in range(0, len(texts), AT_ONCE):
            some = [self._keys.out_of(text) for text in texts[start : start + AT_ONCE]]
            body = asking.embedding(way.endpoint.model, some)
            most = Most(sum(len(text.encode()) + 1 for text in body["input"]), 0)
            counted = partial(replies.vectors, count=len(some))
            found += await way.until_said(work, EMBEDDINGS, body, most, counted)
        return found

    async def close(self) -> None:
        """Close all connections."""
        for wire in self._wires.values():
            await wire.close()

    def _way(self, endpoint: str) -> Attempts:
        if endpoint in self._ways:
            return self._ways[endpoint]
        meant = near(endpoint, self._ways)
        right = f"did you mean {meant!r}?" if meant else "one of the configured endpoints"
        raise NotFound(f"there is no endpoint {endpoint!r}", right=right)


class _Wire:
    """The client of one endpoint, whose errors end here."""

    def __init__(self, endpoint: Endpoint, keys: Keys) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._keys, self._url = keys, endpoint.url
        self._client = openai.AsyncOpenAI(
            base_url=endpoint.url,
            api_key="in the door",
            max_retries=0,
            http_client=httpx2.AsyncClient(
                transport=_Door(endpoint, keys),
                timeout=httpx2.Timeout(None, connect=CONNECTING),
                trust_env=False,
            ),
        )

    async def post(self, path: str, body: dict[str, Any]) -> bytes:
        """The body of the answer. `create()` spends as much again on its parameters' types."""
        try:
            response = await self._client.post(path, cast_to=httpx2.Response, body=body)
        except openai.APIStatusError as error:
            raise _refused(error.response) from None
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            raise CallFailed(
                "unreachable",
                self._keys.out_of(f"{type(cause).__name__} {cause}".strip()),
                right=f"a server that listens at {self._url}",
                free=isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout),
            ) from None
        return bytes(response.content)

    async def close(self) -> None:
        await self._client.close()


class _Door(httpx2.AsyncBaseTransport):  # type: ignore[misc]  # it is Any where it is not installed
    """Where a key joins a request, and where it is taken out of whatever comes back.

    So it stands in no request or response that the client's errors and logs could show. An answer
    is read to its end here, no further than it may be long, and not in a compressed form, whose
    length says nothing.
    """

    def __init__(self, endpoint: Endpoint, keys: Keys) -> None:
        key = endpoint.key.get_secret_value()
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise Malformed(
                "the key holds characters that no header can hold",
                where=f"endpoint {endpoint.name}",
                right="the key alone, without spaces and line ends",
            )
        self._headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if key:
            self._headers["authorization"] = f"Bearer {key}"
        self._wire = httpx2.AsyncHTTPTransport(
            trust_env=False,
            verify=endpoint.url.startswith("https:"),  # certificates take 20 ms to load
            limits=httpx2.Limits(
                max_connections=endpoint.concurrency,
                max_keepalive_connections=endpoint.concurrency,
                keepalive_expiry=KEPT_OPEN,
            ),
        )
        self._keys = keys

    async def handle_async_request(self, request: Any) -> Any:
        most = next(most for path, most in MOST_BYTES.items() if request.url.path.endswith(path))
        sent = httpx2.Request(
            request.method,
            request.url,
            headers=self._headers,
            content=request.content,
            extensions=request.extensions,
        )
        response = await self._wire.handle_async_request(sent)
        try:
            body = bytearray()
            async for part in response.stream:
                body += part
                if len(body) > most:
                    raise CallFailed("too_large", f"the answer is longer than {most:,} bytes")
        finally:
            await response.aclose()
        if response.headers.get("content-encoding", "identity") != "identity":
            raise CallFailed("rubbish", "the answer is compressed, which nobody asked for")
        heard = {name: response.headers[name] for name in _HEARD if name in response.headers}
        whole = self._keys.out_of_bytes(bytes(body))
        return httpx2.Response(response.status_code, headers=heard, content=whole)

    async def aclose(self) -> None:
        await self._wire.aclose()


def _refused(response: Any) -> CallFailed:
    """A status other than 2xx."""
    status, said = response.status_code, replies.complaint(response.content)
    kind = kind_of(status, said.code)
    return CallFailed(
        kind,
        f"status {status} {said.message}".strip(),
        right=_MENDED.get(status, ""),
        status=status,
        complaint=said,
        retry_after=asked_for(response.headers, time.time()),
        free=True,
    )


_MENDED = {
    401: "the right key for this endpoint",
    403: "a key that may use this model",
    404: "the address up to /v1, and a model that this server has",
}
