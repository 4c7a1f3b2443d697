"""`DataRequested kind=pairs` in a fresh home, offline: an expert's writer, and who scores."""

from __future__ import annotations

import asyncio
import json
from itertools import islice
from pathlib import Path
from typing import Any

from events.catalog.data import DataRequested, DatasetAccepted, DatasetRejected
from events.catalog.evaluation_sets import EvaluationSetRegistered
from events.catalog.feedback import FeedbackGiven
from events.catalog.reviews import ReviewAnswered, Reviewed, ReviewOpened
from events.catalog.training import Artifact
from events.envelope import Envelope
from infra.settings import Model, Models
from tests.agents.data_generator.pairing.models import Models as Served
from tests.agents.data_generator.pairing.models import judging, writes
from tests.guardrails.server import Server
from tests.infra.data_house import Making, making, role
from tests.infra.experts.serving import serving
from tests.infra.processes import ratchet
from trainers.model_types import model_type

KIND, SUMS = "support_replies", "arithmetic_reasoning"


def test_pairs_are_published_waited_for_shown_and_taken_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    profile = json.dumps({"name": "desk", "purpose": "Answer.", "model_type": KIND})
    assert ratchet(home, "publish", "RoleDefined", "role=desk", f"profile={profile}").code == 0
    asked = ("publish", "DataRequested", "role=desk", "quantity=40", "kind=pairs", "seed=7")
    answer = ratchet(home, *asked, "--wait", "170")
    assert answer.code == 0, answer.err
    outcome = answer.document()["outcome"]
    assert (outcome["type"], outcome["data"]["count"]) == ("DatasetAccepted", 40)
    assert outcome["data"]["measured"]["gap"]["value"] >= 0.15
    assert outcome["data"]["measured"]["decontamination"]["value"] == 1
    name = outcome["data"]["dataset"]
    shown = ratchet(home, "data", "show", name).document()
    assert len(shown["pairs"]) == 3
    assert (shown["kind"], shown["status"]) == ("pairs", "accepted")
    out = tmp_path / "out"
    assert ratchet(home, "data", "export", name, "--to", str(out)).code == 0
    rows = [json.loads(line) for line in (out / f"{name}.rows.jsonl").read_text().splitlines()]
    assert all(list(row) == ["prompt", "chosen", "rejected", "gap"] for row in rows)
    report = (out / f"{name}.report.html").read_text()
    assert "gap of a kept pair" in report
    assert rows[0]["chosen"] in report


async def accepted(house: Making, **asked: Any) -> DatasetAccepted:
    made = await house.made(kind="pairs", **asked)
    assert isinstance(made, DatasetAccepted), made
    return made


def provenance(house: Making, made: DatasetAccepted) -> list[dict[str, Any]]:
    lines = house.artifacts.read(made.provenance.sha256).splitlines()
    return [json.loads(line) for line in lines]


async def test_the_same_seed_gives_the_same_bytes_and_every_pair_says_who_scored_it(
    tmp_path: Path,
) -> None:
    async with making(tmp_path) as house:
        await house.policy(part_rows=10)
        await house.say(role("one", SUMS), role("other", SUMS))
        first = await accepted(house, role="one", quantity=24, seed=7)
        same = await accepted(house, role="other", quantity=24, seed=7)
        another = await accepted(house, role="one", quantity=24, seed=8, scorer="judge")
        assert first.rows == same.rows
        prompts = {row["prompt"] for row in house.rows(first)}
        assert len(prompts) == 24
        assert prompts.isdisjoint(row["prompt"] for row in house.rows(another))
        kind = model_type(SUMS)
        for row in (*house.rows(first), *house.rows(another)):
            (problem,) = [kind.preprocess({"prompt": row["prompt"]})]
            right = f"={problem['answer']:04};"
            assert row["chosen"].endswith(right)
            assert not row["rejected"].endswith(right)
        assert {one["scorer"] for one in provenance(house, first)} == {f"verifier {SUMS}"}
        assert {one["scorer"] for one in provenance(house, another)} == {
            f"judge expert:{SUMS}:verifier"
        }
        assert await house.good()


async def test_evaluation_items_are_counted_before_they_are_taken_out(tmp_path: Path) -> None:
    async with making(tmp_path) as house:
        await house.say(role("desk", KIND))
        first = house.rows(await accepted(house, role="desk", quantity=30, seed=7))
        exam = b"".join(json.dumps({"prompt": row["prompt"]}).encode() + b"\n" for row in first[:2])
        ref = house.artifacts.put(exam)
        artifact = Artifact(kind="evaluation", sha256=ref.sha256, size=ref.size)
        await house.say(EvaluationSetRegistered(name="exam", artifact=artifact, rows=2))
        again = await accepted(house, role="desk", quantity=30, seed=7)
        asked = {row["prompt"] for row in first[:2]}
        assert asked.isdisjoint(row["prompt"] for row in house.rows(again))
        clean = again.measured["decontamination"]
        assert 0.9 <= clean.value == (clean.n - 2) / clean.n < 1


async def came(house: Making, kind: str) -> list[Envelope]:
    """The first events of this kind, as soon as there are any."""
    async with asyncio.timeout(120):
        while not (found := await house.events(kind)):
            await asyncio.sleep(0.05)
    return found


async def test_people_are_asked_where_they_are_the_scorer_and_their_word_is_the_set(
    tmp_path: Path,
) -> None:
    async with making(tmp_path) as house:
        await house.say(role("desk", KIND))
        asked = DataRequested(role="desk", quantity=8, seed=7, kind="pairs", scorer="people")
        await house.say(asked)
        found = await came(house, "ReviewOpened")
        opened = found[0].event()
        assert isinstance(opened, ReviewOpened)
        assert opened.count == 11
        items = [json.loads(x) for x in house.artifacts.read(opened.items.sha256).splitlines()]
        said = [
            Reviewed(item=n, choice="b" if len(one["b"]) > len(one["a"]) else "a")
            for n, one in enumerate(items, 1)
        ]
        await house.say(ReviewAnswered(review=opened.review, answers=tuple(said)))
        (accepted,) = await came(house, "DatasetAccepted")
        made = accepted.event()
        assert isinstance(made, DatasetAccepted)
        rows = house.rows(made)
        assert len(rows) == 8
        assert all(len(row["chosen"]) >= len(row["rejected"]) for row in rows)
        assert {one["scorer"] for one in provenance(house, made)} == {"people"}
        assert await house.good()


async def test_feedback_and_other_roles_pairs_are_merged_with_what_models_write(
    tmp_path: Path,
) -> None:
    kind = model_type(KIND)
    problems = {one.prompt: one for one in islice(kind.problems(5), 60)}
    said = [
        FeedbackGiven(role="desk", rating=2, asked=one.prompt, answered="no idea",
                      correction=kind.completion(kind.solve(one)))
        for one in problems.values()
    ]  # fmt: skip
    async with making(tmp_path) as house:
        await house.say(role("desk", KIND), role("other", KIND), *said)
        await accepted(house, role="other", quantity=20, seed=9)
        sources = ("real", "collaborative", "synthetic")
        made = await accepted(house, role="desk", quantity=20, seed=3, sources=sources)
        beside = provenance(house, made)
        assert {one["source"] for one in beside} == set(sources)
        assert {one["scorer"] for one in beside if one["source"] == "real"} == {"people"}
        assert {one["licence"] for one in beside if one["source"] == "real"} == {"own"}
        rated = [one.event() for one in await house.events("MethodRated")]
        assert {getattr(one, "method", "") for one in rated} >= {"sampling", "ratings"}


def configured(server: Server) -> Models:
    url = f"http://127.0.0.1:{server.port}/v1"
    policy, judge = (Model(url=url, model=name, timeout_s=1.0) for name in ("policy", "judge"))
    return Models(policy=policy, judge=judge)


async def test_a_policy_over_http_writes_and_a_judge_scores(tmp_path: Path) -> None:
    async with (
        Server(Served()) as server,
        making(tmp_path, models=configured(server)) as house,
    ):
        await house.say(role("sums", SUMS))
        made = await accepted(house, role="sums", quantity=10, seed=7, scorer="judge")
        beside = provenance(house, made)
        assert {(one["model"], one["scorer"]) for one in beside} == {("policy", "judge judge")}
        assert {len(one.body["messages"]) for one in server.asked if one.body["model"] == "policy"}


async def test_an_experts_server_that_is_configured_as_teacher_writes_with_its_writer(
    tmp_path: Path,
) -> None:
    async with serving(KIND) as place:
        named = {
            name: Model.model_validate(
                {"url": place.url, "key": place.key, "model": f"expert:{KIND}:{name}"}
            )
            for name in ("teacher", "verifier")
        }
        async with making(tmp_path, models=Models(**named)) as house:
            await house.say(role("desk", KIND))
            made = await accepted(house, role="desk", quantity=6, seed=7)
            assert {one["model"] for one in provenance(house, made)} == {f"expert:{KIND}:writer"}


async def test_a_judge_who_approves_of_everything_ends_in_a_rejection(tmp_path: Path) -> None:
    async with (
        Server(Served(writes, judging(lambda *_: 1.0))) as server,
        making(tmp_path, models=configured(server)) as house,
    ):
        await house.say(role("sums", SUMS))
        made = await house.made(role="sums", quantity=10, seed=7, kind="pairs", scorer="judge")
        assert isinstance(made, DatasetRejected)
        assert made.reason.startswith("no source has built a row; refused: tied")


async def test_a_reward_model_that_no_run_has_made_is_missed_by_name(tmp_path: Path) -> None:
    async with making(tmp_path) as house:
        await house.say(role("desk", KIND))
        made = await house.made(role="desk", quantity=3, seed=7, kind="pairs", scorer="reward")
        assert isinstance(made, DatasetRejected)
        assert "no run of role 'desk' has made a reward model" in made.reason
