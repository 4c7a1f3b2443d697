"""`DataRequested` in a fresh home, offline: the types' exact experts teach and check."""

from __future__ import annotations

import json
import subprocess
import time
from itertools import islice
from pathlib import Path
from typing import Any

from events.artifacts import Artifacts
from events.catalog.data import DatasetAccepted, DatasetRejected
from events.catalog.evaluation_sets import EvaluationSetRegistered
from events.catalog.feedback import FeedbackGiven
from events.catalog.people import FeedbackReceived
from events.catalog.training import Artifact
from infra.settings import Data
from infra.settings import Site as Named
from tests.infra.data_house import all_right, making, role
from tests.infra.pages import Reply, site
from tests.infra.processes import RATCHET, ROOT, environment, ratchet
from trainers.model_types import TYPES, model_type

KIND = "sentiment_analysis"


def test_a_set_is_published_waited_for_and_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    profile = json.dumps({"name": "mood", "purpose": "Be tried.", "model_type": KIND})
    told = ratchet(home, "publish", "RoleDefined", "role=mood", f"profile={profile}")
    assert told.code == 0, told.err
    asked = ("publish", "DataRequested", "role=mood", "quantity=100", "seed=7", "--wait", "170")
    answer = ratchet(home, *asked)
    assert answer.code == 0, answer.err
    outcome = answer.document()["outcome"]
    assert (outcome["type"], outcome["data"]["count"]) == ("DatasetAccepted", 100)
    assert outcome["data"]["quality"] >= 0.95
    kept = Artifacts(str(home / "artifacts"))
    rows = [json.loads(line) for line in kept.read(outcome["data"]["rows"]["sha256"]).splitlines()]
    assert len({row["prompt"] for row in rows}) == 100
    assert all_right(rows, KIND)
    assert "<html" in kept.read(outcome["data"]["report"]["sha256"]).decode()
    refused = ratchet(home, "publish", "DataRequested", "role=mod", "quantity=1", "--wait", "90")
    assert refused.code == 1
    assert refused.document()["outcome"]["data"]["reason"].endswith("did you mean 'mood'?")
    assert not (home / "up.json").exists()
    assert ratchet(home, "audit").code == 0


async def test_the_same_seed_gives_the_same_bytes_and_another_other_rows(tmp_path: Path) -> None:
    async with making(tmp_path) as house:
        await house.policy(part_rows=30)
        await house.say(role("one", KIND), role("other", KIND))
        first = await house.made(role="one", quantity=100, seed=7)
        same = await house.made(role="other", quantity=100, seed=7)
        another = await house.made(role="one", quantity=100, seed=8)
        assert isinstance(first, DatasetAccepted)
        assert isinstance(same, DatasetAccepted)
        assert first.rows == same.rows
        prompts = {row["prompt"] for row in house.rows(first)}
        others = {row["prompt"] for row in house.rows(another)}
        assert len(prompts & others) < 0.2 * len(prompts)
        assert all_right(house.rows(another), KIND)
        provenance = house.artifacts.read(first.provenance.sha256).splitlines()
        beside = [json.loads(line) for line in provenance]
        assert [one["row"] for one in beside] == list(range(100))
        assert {one["licence"] for one in beside} == {"generated"}
        transcripts = {one["transcript"] for one in beside}
        assert all(house.artifacts.has(one) for one in transcripts)
        assert len(transcripts) == 4
        assert await house.good()


async def test_every_type_has_its_sets_and_all_rows_are_right(tmp_path: Path) -> None:
    quantity = {name: 4 if name == "code_generation" else 24 for name in TYPES}
    async with making(tmp_path) as house:
        for name, many in quantity.items():
            await house.say(role(name, name))
            # a set this small says little of how varied and even it is
            made = await house.made(role=name, quantity=many, seed=3, quality_target=0.5)
            rows = house.rows(made)
            assert len({row["prompt"] for row in rows}) == many
            assert all_right(rows, name)


async def test_a_type_that_nobody_knows_is_a_rejection_with_a_suggestion(tmp_path: Path) -> None:
    async with making(tmp_path) as house:
        await house.say(role("mood", "sentiment"))
        made = await house.made(role="mood", quantity=5)
        assert isinstance(made, DatasetRejected)
        assert "did you mean 'sentiment_analysis'?" in made.reason
        assert not await house.events("MethodRated")


async def test_evaluation_items_never_get_into_a_set(tmp_path: Path) -> None:
    async with making(tmp_path) as house:
        await house.say(role("mood", KIND))
        first = house.rows(await house.made(role="mood", quantity=60, seed=7))
        exam = b"".join(json.dumps({"prompt": row["prompt"]}).encode() + b"\n" for row in first[:2])
        ref = house.artifacts.put(exam)
        artifact = Artifact(kind="evaluation", sha256=ref.sha256, size=ref.size)
        await house.say(EvaluationSetRegistered(name="exam", artifact=artifact, rows=2))
        again = house.rows(await house.made(role="mood", quantity=60, seed=7))
        asked = {row["prompt"] for row in first[:2]}
        assert asked.isdisjoint(row["prompt"] for row in again)
        assert len(again) == 60
        assembled = (await house.events("DatasetAssembled"))[-1].event()
        assert getattr(assembled, "removed", {}).get("leaked") == 2


async def test_what_people_said_is_used_without_what_is_personal(tmp_path: Path) -> None:
    kind = model_type(KIND)
    problems = list(islice(kind.problems(5), 20))
    said = [
        FeedbackGiven(role="mood", rating=5, asked=one.prompt,
                      answered=kind.completion(kind.solve(one)))
        for one in problems
    ]  # fmt: skip
    personal = FeedbackReceived(
        subject="jane", role="mood", rating=5, asked="jane.doe@example.com: the food was good =>",
        answered="<think>food good</think>+1 so +1;<think>+1</think>= positive 0.6;",
    )  # fmt: skip
    async with making(tmp_path) as house:
        await house.say(role("mood", KIND), *said, personal)
        made = await house.made(role="mood", quantity=15, sources=("real",), quality_target=0.3)
        rows = house.rows(made)
        assert len(rows) == 15
        assert "jane.doe" not in json.dumps(rows)
        assert "jane" not in (await house.events("FeedbackReceived"))[0].data


async def test_the_web_and_other_roles_are_merged_with_what_models_make(tmp_path: Path) -> None:
    kind = model_type(KIND)
    drawn: dict[str, Any] = {one.prompt: one for one in islice(kind.problems(9), 400)}
    rows = [{"prompt": one.prompt, "answer": one.answer} for one in drawn.values()]
    page = Reply(json.dumps(rows).encode(), "application/json")
    with site({"/rows.json": page}) as web:
        sites = {"one": Named(url=f"{web.url}/rows.json", licence="CC0")}
        data = Data(sites=sites, own_hosts=("127.0.0.1",))
        async with making(tmp_path, data=data) as house:
            await house.say(role("mood", KIND), role("other", KIND))
            await house.policy(sources=("web", "subscriptions"))
            first = await house.made(role="other", quantity=100, quality_target=0.8)
            assert len(house.rows(first)) == 100
            await house.policy(sources=("collaborative", "synthetic"))
            second = await house.made(role="mood", quantity=100, quality_target=0.8)
            assert len(house.rows(second)) == 100
            assembled = (await house.events("DatasetAssembled"))[-1].event()
            assert set(getattr(assembled, "by_source", {})) == {"collaborative", "synthetic"}
            failed = (await house.events("PartFailed"))[0].event()
            assert "there is no subscription" in getattr(failed, "reason", "")
            assert await house.good()


async def test_without_private_hosts_named_the_web_stays_out_of_this_machine(
    tmp_path: Path,
) -> None:
    with site({"/rows.json": Reply(b"[]")}) as web:
        data = Data(sites={"one": Named(url=f"{web.url}/rows.json")})
        async with making(tmp_path, data=data) as house:
            await house.say(role("mood", KIND))
            made = await house.made(role="mood", quantity=5, sources=("web",))
            assert isinstance(made, DatasetRejected)
            assert "not of the public network" in made.reason
        assert web.asked == []


def test_others_may_publish_while_somebody_waits(tmp_path: Path) -> None:
    """Who waits owns the home as `ratchet up` would, with a door, and leaves it as it was."""
    home = tmp_path / "home"
    profile = json.dumps({"name": "mood", "purpose": "Be tried.", "model_type": KIND})
    assert ratchet(home, "publish", "RoleDefined", "role=mood", f"profile={profile}").code == 0
    words = ("publish", "DataRequested", "role=mood", "quantity=20000", "--wait", "4")
    waiting = subprocess.Popen(
        [*RATCHET, *words, "--home", str(home), "--json"],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        ends = time.monotonic() + 90
        while not (home / "up.json").exists() and waiting.poll() is None:
            assert time.monotonic() < ends
            time.sleep(0.02)
        told = ratchet(home, "publish", "AgentPaused", "agent=trainer")
        assert told.code == 0, told.err
        out, err = waiting.communicate(timeout=120)
    finally:
        waiting.kill()
    assert waiting.returncode == 4, err
    assert b"no agent has answered within 4 s" in err
    assert json.loads(out)["outcome"] is None
    assert not (home / "up.json").exists()
