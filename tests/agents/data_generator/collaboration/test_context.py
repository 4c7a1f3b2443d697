"""What the models are told beside the problems, and who looks it up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.data_generator.collaboration.plan import Sources
from guardrails.caller import Caller
from tests.agents.data_generator.collaboration.models import (
    APPROVES,
    RIGHT,
    Hit,
    desk,
    sent_to,
    solution,
    teaching,
    told,
    transcript,
)
from tests.guardrails.server import Asked, Said, says
from trainers.model_types.finding import model_type


async def test_what_the_type_needs_to_know_is_told_to_the_teacher(tmp_path: Path) -> None:
    """Not even the exact expert of this type can read a ticket by itself."""
    kind = model_type("support_replies")
    answers: list[bool] = []

    def replies(asked: Asked) -> Said:
        one = json.loads(told(asked).rsplit("<<<", 1)[1].split("\n")[1])["problems"][0]
        answers.append("answer" in one)
        return teaching(lambda prompt: solution(prompt, kind, one["answer"]))(asked)

    async with desk(tmp_path, replies, APPROVES) as at:
        made = await at.made(quantity=3, type=kind)
    assert (len(made.rows), set(answers)) == (3, {True})
    async with desk(tmp_path, RIGHT, APPROVES) as at:
        await at.made("sums.jsonl", quantity=1)
        asked = sent_to(at.server, "teacher")[0]
    assert '"answer"' not in told(asked).rsplit("<<<", 1)[1]


async def test_rules_purpose_focus_and_examples_reach_the_models(tmp_path: Path) -> None:
    queries: list[str] = []

    async def search(query: str, _limit: int) -> list[Any]:
        queries.append(query)
        return []

    example = {"prompt": "1+1#", "steps": [], "outcome": "as told"}
    sources = Sources(rules=("never guess",), examples=(example,), knowledge=search)
    async with desk(tmp_path, RIGHT, APPROVES) as at:
        await at.made(
            quantity=1, purpose="sums for the till", focus=("long carries",), sources=sources
        )
    teacher, verifier = (told(sent_to(at.server, one)[0]) for one in ("teacher", "verifier"))
    assert "never guess" in teacher
    assert "never guess" in verifier
    assert "sums for the till" in teacher
    assert "as told" in teacher
    assert "long carries" in teacher
    assert queries[0].startswith("long carries\n")


@pytest.mark.parametrize(
    ("said", "looked_for"),
    [('{"queries": ["carrying", " ", "addition", "a", "b"]}', ["carrying", "addition", "a"]),
     ("no idea", None)],
)  # fmt: skip
async def test_a_retriever_puts_into_words_what_is_looked_for(
    tmp_path: Path, said: str, looked_for: list[str] | None
) -> None:
    queries: list[str] = []

    async def search(query: str, _limit: int) -> list[Hit]:
        queries.append(query)
        return [Hit("carry the one", "e1"), Hit(f"about {query}", "e2")]

    def retrieves(asked: Asked) -> Said:
        return says(said) if asked.body["model"] == "retriever" else APPROVES(asked)

    async with desk(tmp_path, RIGHT, retrieves) as at:
        retriever = at.server.endpoint(name="retriever", model="retriever", rung="json_schema")
        at.caller = Caller([at.teacher, at.verifier, retriever])
        made = await at.made(quantity=1, retriever=retriever, sources=Sources(knowledge=search))
        assert queries == (looked_for or [made.rows[0]["prompt"]])
        teacher = told(sent_to(at.server, "teacher")[0])
    assert teacher.count("carry the one") == 1
    assert f"about {queries[0]}" in teacher
    assert transcript(made)[0]["output"]["queries"] == queries
