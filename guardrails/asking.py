"""The body of a request, by the rung on which a structured answer is asked for.

json_schema   the server keeps the model to the schema
tool          the model is made to call a tool whose arguments are the answer
json_object   the server promises JSON, the prompt holds the schema
text          the prompt holds the schema, and the answer is looked for in the text
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from guardrails.calls import Message
from guardrails.endpoint import Rung
from guardrails.shapes import Shape

PER_MESSAGE = 16
"""Tokens that a chat template may lay around one message."""


def request(
    model: str,
    messages: Sequence[Message],
    *,
    temperature: float,
    seed: int | None,
    max_tokens: int,
    shape: Shape | None = None,
    rung: Rung = "text",
) -> dict[str, Any]:
    """What is posted to /chat/completions."""
    told = list(messages)
    if shape is not None and rung in {"json_object", "text"}:
        told = _with_schema(told, shape)
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": one.role, "content": _whole(one.text)} for one in told],
        "temperature": temperature,
        "max_tokens": max_tokens,
    }
    if seed is not None:
        body["seed"] = seed
    if shape is not None:
        body |= _format(shape, rung)
    return body


def embedding(model: str, texts: Sequence[str]) -> dict[str, Any]:
    """What is posted to /embeddings."""
    return {"model": model, "input": [_whole(one) for one in texts], "encoding_format": "float"}


def most_tokens(body: dict[str, Any], shape: Shape | None) -> int:
    """No more than this many tokens go in: no tokenizer makes more tokens than there are bytes."""
    texts = sum(len(one["content"].encode()) + PER_MESSAGE for one in body["messages"])
    return texts + (len(shape.text) if shape is not None else 0)


def repair(said: str, wrong: str) -> list[Message]:
    """What is added to the conversation when an answer was not of the right form."""
    complaint = (
        "That answer cannot be used:\n"
        f"{wrong}\n"
        "Answer again, with the whole answer in the form that was asked for, and nothing else."
    )
    return [Message("assistant", said or "(nothing)"), Message("user", complaint)]


def _format(shape: Shape, rung: Rung) -> dict[str, Any]:
    strict = {"name": shape.name, "strict": shape.strict}
    match rung:
        case "json_schema":
            form = {**strict, "schema": shape.schema}
            return {"response_format": {"type": "json_schema", "json_schema": form}}
        case "tool":
            tool = {**strict, "description": "Gives the answer.", "parameters": shape.schema}
            return {
                "tools": [{"type": "function", "function": tool}],
                "tool_choice": {"type": "function", "function": {"name": shape.name}},
            }
        case "json_object":
            return {"response_format": {"type": "json_object"}}
        case "text":
            return {}


def _with_schema(messages: list[Message], shape: Shape) -> list[Message]:
    form = f"Answer with one JSON object and nothing else. Its JSON Schema is:\n{shape.text}"
    if messages and messages[0].role == "system":
        return [Message("system", f"{messages[0].text}\n\n{form}"), *messages[1:]]
    return [Message("system", form), *messages]


def _whole(text: str) -> str:
    """Without halves of characters, which cannot be sent."""
    return text.encode(errors="replace").decode()
