"""What a chat completion asks of an expert: which problems, which solutions, in which form.

Problems and solutions stand in a message as the collaboration writes them; any other text is taken
for the prompt of one problem.
"""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.data_generator.collaboration.asking import ANSWERS, PROBLEMS, TRAJECTORIES, documents
from events.errors import Malformed
from events.suggest import malformed

M = TypeVar("M", bound=BaseModel)

MOST = 1_000
"""Problems in one request."""

Way = Literal["text", "tool"]


class Stated(BaseModel):
    """A problem as it stands in a message."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    problem: int = 0
    prompt: str
    answer: Any = None


class Proposed(BaseModel):
    """A solution as it stands in a message: whatever it is, it has the number of a problem."""

    model_config = ConfigDict(extra="allow", frozen=True)

    problem: int = 0


class Given(BaseModel):
    """An answer as it stands in a message, one of several to the same problem."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    answer: int
    text: str


class Asked(NamedTuple):
    """A request, as an expert understands it."""

    model: str
    problems: list[Stated]
    trajectories: list[Proposed] | None
    fields: frozenset[str]
    """Of the object that is wanted; empty where plain text is."""
    way: Way
    """Whether the answer is a text, or the arguments of a tool."""
    tool: str
    tokens: int
    """Of the question, roughly."""
    answers: list[Given] | None = None
    """Several answers to the first problem, to be scored."""
    temperature: float = 0.0
    seed: int = 0


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Part(_Read):
    text: str = ""


class _Turn(_Read):
    role: str
    content: str | list[_Part] | None = None

    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(one.text for one in self.content)
        return self.content or ""


class _Named(_Read):
    name: str = "answer"
    schema_: dict[str, Any] = Field(default_factory=dict, alias="schema")
    parameters: dict[str, Any] = Field(default_factory=dict)


class _Form(_Read):
    type: str = "text"
    json_schema: _Named | None = None


class _Tool(_Read):
    function: _Named


class _Request(_Read):
    model: str
    messages: list[_Turn] = Field(min_length=1)
    response_format: _Form | None = None
    tools: list[_Tool] = Field(default_factory=list)
    stream: bool = False
    n: int = 1
    temperature: float = 0.0
    seed: int | None = None


def read(body: bytes) -> Asked:
    """The request; a Malformed where it is none, or asks for what no expert does."""
    try:
        found = _Request.model_validate_json(body)
    except ValidationError as error:
        raise malformed(_Request, error) from None
    if found.stream or found.n != 1:
        what = "stream" if found.stream else "n"
        raise Malformed("an expert gives one answer, as a whole", where=what, right="leave it out")
    texts = [one.text() for one in found.messages if one.role == "user"]
    said: dict[str, list[Any]] = {}
    for text in texts:
        said.update(documents(text))
    plain = [{"prompt": texts[0].strip() if texts else ""}]
    stated, proposed = said.get(PROBLEMS, plain), said.get(TRAJECTORIES)
    given = said.get(ANSWERS)
    if max(len(stated), len(proposed or ()), len(given or ())) > MOST:
        raise Malformed("there are too many problems", where="messages", right=f"at most {MOST}")
    name, schema = _wanted(found)
    return Asked(
        found.model,
        _each(Stated, stated),
        None if proposed is None else _each(Proposed, proposed),
        frozenset(schema.get("properties", ())),
        "tool" if name else "text",
        name,
        sum(len(one.text()) for one in found.messages) // 4 + 1,
        None if given is None else _each(Given, given),
        found.temperature,
        found.seed or 0,
    )


def _each(kind: type[M], said: list[Any]) -> list[M]:
    try:
        return [kind.model_validate(one) for one in said]
    except ValidationError as error:
        raise malformed(kind, error) from None


def _wanted(found: _Request) -> tuple[str, dict[str, Any]]:
    """The tool to be called, if any, and the schema of the answer, if any."""
    if found.tools:
        return found.tools[0].function.name, found.tools[0].function.parameters
    form = found.response_format
    if form is not None and form.json_schema is not None:
        return "", form.json_schema.schema_
    return "", _written_schema(found)


def _written_schema(found: _Request) -> dict[str, Any]:
    """A schema that a system message holds on a line of its own."""
    for turn in found.messages:
        for line in turn.text().splitlines() if turn.role == "system" else ():
            if line.startswith("{") and '"properties"' in line:
                try:
                    schema = json.loads(line)
                except ValueError:
                    continue
                if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
                    return schema
    return {}
