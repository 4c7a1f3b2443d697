"""What an endpoint said, read with suspicion: anything may stand in it, or nothing."""

from __future__ import annotations

import json
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic_core import from_json

from guardrails.refusals import CallFailed, Complaint

SHOWN = 300
"""Characters of a foreign text that an error repeats."""
TOKENS = 100_000_000
"""No call has more tokens than this; a bill that says so is no bill."""


class Reply(NamedTuple):
    """What a model said."""

    text: str
    finish: str
    refusal: str
    """Why it declined, where it says that it does."""
    tokens_in: int | None
    """None where the server does not say."""
    tokens_out: int | None


def _text(value: Any) -> Any:
    """Content comes as a text, as nothing, or as parts of which some are texts."""
    if isinstance(value, list):
        parts = [one.get("text") for one in value if isinstance(one, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return "" if value is None else value


def _arguments(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else _text(value)


_Text = Annotated[str, BeforeValidator(_text)]


class _Function(BaseModel):
    arguments: Annotated[str, BeforeValidator(_arguments)] = ""


class _Tool(BaseModel):
    function: _Function


class _Said(BaseModel):
    content: _Text = ""
    refusal: _Text = ""
    tool_calls: list[_Tool] | None = None


class _Choice(BaseModel):
    message: _Said
    finish_reason: _Text = ""


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class _Vector(BaseModel):
    index: int
    embedding: Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=1)]


class _Vectors(BaseModel):
    data: list[_Vector]


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object that this is."""
    try:
        found = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise _rubbish(f"the answer is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise _rubbish("the answer is JSON, but no object")
    return found


def completion(answer: dict[str, Any]) -> Reply:
    """What the model said in it."""
    try:
        first = _Completion.model_validate(answer).choices[0]
    except ValidationError as error:
        raise _rubbish(f"the answer is no chat completion: {complaints(error)}") from None
    said = first.message
    called = said.tool_calls[0].function.arguments if said.tool_calls else ""
    filtered = "a filter held the answer back" if first.finish_reason == "content_filter" else ""
    return Reply(
        called or said.content,
        first.finish_reason,
        said.refusal or filtered,
        _count(answer, "prompt_tokens"),
        _count(answer, "completion_tokens"),
    )


def vectors(answer: dict[str, Any], count: int) -> list[list[float]]:
    """So many vectors of one length, in the order of the texts."""
    try:
        found = _Vectors.model_validate(answer).data
    except ValidationError as error:
        raise _rubbish(f"the answer holds no embeddings: {complaints(error)}") from None
    by_index = {one.index: one.embedding for one in found}
    if len(found) != count or by_index.keys() != set(range(count)):
        raise _rubbish(f"{count} texts were sent, and {len(found)} embeddings came back")
    if len({len(vector) for vector in by_index.values()}) > 1:
        raise _rubbish("the embeddings have several lengths")
    return [by_index[index] for index in range(count)]


def billed(answer: dict[str, Any]) -> tuple[int | None, int | None]:
    """Tokens in and out, where the server says them believably."""
    return _count(answer, "prompt_tokens"), _count(answer, "completion_tokens")


def complaint(body: bytes) -> Complaint:
    """The words of an error, whatever it looks like."""
    try:
        found = from_json(body)
    except ValueError:
        found = None
    inner = found.get("error", found) if isinstance(found, dict) else None
    if not isinstance(inner, dict):
        said = inner if isinstance(inner, str) else body[: SHOWN * 4].decode(errors="replace")
        return Complaint(said[:SHOWN], "", "")
    message, code, param = (inner.get(name) or "" for name in ("message", "code", "param"))
    return Complaint(str(message)[:SHOWN], str(code)[:SHOWN], str(param)[:SHOWN])


def complaints(error: ValidationError) -> str:
    """What is wrong with an answer, for whoever is to mend it; without what stands there."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    lines = [
        f"{'.'.join(str(step) for step in one['loc']) or 'answer'}: {one['msg']}"[:SHOWN]
        for one in found[:10]
    ]
    return "; ".join(lines)


def _count(answer: dict[str, Any], name: str) -> int | None:
    usage = answer.get("usage")
    count = usage.get(name) if isinstance(usage, dict) else None
    believable = type(count) is int and 0 <= count <= TOKENS
    return count if believable else None


def _rubbish(what: str) -> CallFailed:
    return CallFailed("rubbish", what, right="an OpenAI-compatible server")
