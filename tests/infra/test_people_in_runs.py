"""People answer in the middle of a run: by the command line, while nobody is at home, and late."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from agents.audit import audit
from agents.trainer.workers.failing import failed
from agents.trainer.workers.people import shuffled
from agents.worker import Tell, Worker
from events.artifacts import Artifacts
from events.catalog.hand import HoldRequested
from events.catalog.policies import PolicyAdopted, TrainerPolicy, VerifierPolicy
from events.catalog.reviews import ReviewAnswered
from events.catalog.roles import RoleDefined
from events.catalog.training import Artifact, StageCompleted, StageRequested, TrainingRequested
from events.fact import Fact
from events.message import Outcome
from events.store import EventStore, append
from infra.assemble import AGENTS, built
from infra.cli.demo import watch
from infra.cli.story import Story
from infra.home import Home, Lock
from infra.house import House
from infra.settings import Settings
from pipelines.remedies import settled
from tests.agents.trainer.story import GOOD, PROFILE, artifact, measured
from tests.infra.cli.saying import document, refused, said

ITEMS = 12
NEW, OLD = "the new answer", "the old answer"


def worker(artifacts: Artifacts) -> Worker:
    """Carries out every stage as well as one could wish, and asks people where it is told to."""

    async def grant(told: Fact, _: Tell) -> Outcome:
        request = cast(StageRequested, told.event)
        made = [artifact("policy", 7)] if request.stage == "optimise" else []
        many, key = round(settled(request.changes, request.stage, {}).get("people", 0)), ""
        if many:
            prompts = [f"prompt {number}" for number in range(many)]
            new, old = ([f"{side} to {one}" for one in prompts] for side in (NEW, OLD))
            rows, key = shuffled(prompts, new, old, many)
            text = "".join(json.dumps(row) + "\n" for row in rows).encode()
            ref = artifacts.put(text)
            made.append(Artifact(kind="review", sha256=ref.sha256, size=ref.size))
        return StageCompleted(
            run=request.run, stage=request.stage, attempt=request.attempt, seconds=0.1,
            metrics=measured(GOOD["dpo"][request.stage]), artifacts=tuple(made), key=key,
        )  # fmt: skip

    return Worker(StageRequested, grant, failed)


@asynccontextmanager
async def owned(folder: Path) -> AsyncIterator[House]:
    """The home has an owner, until it has none again."""
    home = Home(folder)
    with Lock(home) as lock:
        assert lock.take()
        store = home.writer()
        workers = (worker(Artifacts(home.artifacts)),)
        house = await built(store, Settings(), workers=workers, home=home)
        running = asyncio.create_task(house.run())
        try:
            yield house
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await house.close()


async def until(store: EventStore, wire: str) -> dict[str, Any]:
    """The first of this kind."""
    async with asyncio.timeout(60):
        while True:
            found = await store.read(0, 10**9, 10, {wire})
            if found:
                return cast(dict[str, Any], json.loads(found[0].data))
            await asyncio.sleep(0.02)


async def written(file: Path) -> None:
    """The owner writes reports by itself."""
    async with asyncio.timeout(60):
        while not file.is_file():
            await asyncio.sleep(0.02)


def begun(folder: Path, people: str, hours: float = 72.0) -> str:
    """A run that has come to its queue; then its owner is gone. The queue."""

    async def story() -> str:
        async with owned(folder) as house:
            store = house.store
            role = RoleDefined.model_validate({"role": "sums", "profile": PROFILE})
            policy = TrainerPolicy.model_validate(
                {"people": people, "people_items": ITEMS, "people_hours": hours}
            )
            wanted = TrainingRequested(role="sums", pipeline="dpo", base="tiny", seed=7)
            await append(store, PolicyAdopted(policy=policy), role, wanted, actor="test")
            return str((await until(store, "ReviewOpened"))["review"])

    return asyncio.run(story())


def ended(folder: Path, wire: str) -> dict[str, Any]:
    """What became of it, once its home has an owner again; and every decision comes out alike."""

    async def story() -> dict[str, Any]:
        async with owned(folder) as house:
            store = house.store
            found = await until(store, wire)
            if wire == "CandidateRegistered":
                await written(folder / "reports" / found["run"] / "report.html")
            report = await audit(store, AGENTS)
            assert report.good
            assert not report.drift
            return found

    return asyncio.run(story())


def choices(folder: Path, review: str, better: str) -> list[dict[str, Any]]:
    """What somebody would say who reads and always prefers these answers."""
    waiting = document(folder, "review", "list", review)["waiting"]
    return [
        {"item": one["item"], "choice": "a" if one["a"].startswith(better) else "b"}
        for one in waiting
    ]


def test_people_answer_while_nobody_is_at_home_and_the_run_goes_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    review = begun(home, "demand")
    run = review.partition("-")[0]
    shown = document(home, "runs", "show", run)
    assert (shown["people"]["review"], shown["people"]["count"]) == (review, ITEMS)
    assert "asks people" in said(home, "runs", "list").out
    text = said(home, "runs", "show", run).out
    assert f"People are asked in queue {review} until " in text
    assert "0 of 12 pairs have their word." in text
    answers = choices(home, review, NEW)
    first, rest = answers[:2], answers[2:]
    for one in first:
        document(home, "review", "answer", review, str(one["item"]), one["choice"])
    assert document(home, "runs", "show", run)["people"]["answered"] == [1, 2]
    file = tmp_path / "labels.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in rest))
    document(home, "review", "import", review, str(file))
    ended(home, "CandidateRegistered")
    row = document(home, "runs", "show", run)
    (people,) = [one for one in row["stages"][-1]["gate"]["checks"] if one["metric"] == "people"]
    assert (people["value"], people["n"], people["verdict"]) == (1.0, ITEMS, "pass")
    assert row["people"]["open"] is False
    assert "yes          People who compare prefer it" in said(home, "runs", "show", run).out
    stricter = tmp_path / "policy.yaml"
    stricter.write_text("agent: trainer\nbounds: {kl: 0.01}\n")
    text = said(home, "what-if", "--policy", str(stricter)).out
    assert "optimise: fail: kl 0.055 (0.05 to 0.06) is above 0.01" in text
    assert "optimise: nearer_to_the_reference" in text
    page = (home / "reports" / run / "report.md").read_text()
    assert f"People were asked in queue {review}: 12 of 12 pairs have their word." in page


def test_a_model_that_people_do_not_like_is_not_registered(tmp_path: Path) -> None:
    home = tmp_path / "home"
    review = begun(home, "ask")
    file = tmp_path / "labels.jsonl"
    words = choices(home, review, OLD)
    file.write_text("".join(json.dumps(one) + "\n" for one in words))
    document(home, "review", "import", review, str(file))
    failed_gate = ended(home, "GateFailed")
    assert failed_gate["stage"] == "evaluate"
    assert failed_gate["reason"].startswith("people 0 ")


def test_the_clock_ends_the_waiting_where_nobody_answers(tmp_path: Path) -> None:
    home = tmp_path / "home"
    review = begun(home, "ask", hours=0.5 / 3600)
    ended(home, "CandidateRegistered")
    run = review.partition("-")[0]
    last = document(home, "runs", "show", run)["stages"][-1]["gate"]
    assert last["verdict"] == "waived"
    assert [one["metric"] for one in last["checks"] if one["value"] is None] == ["people"]
    assert "accepted by a waiver" in (home / "reports" / run / "report.md").read_text()


def test_who_watches_a_run_sees_what_follows_from_the_clock_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> str:
        async with owned(tmp_path / "home") as house:
            policy = TrainerPolicy(people="ask", people_items=ITEMS, people_hours=0.2 / 3600)
            role = RoleDefined.model_validate({"role": "sums", "profile": PROFILE})
            wanted = TrainingRequested(role="sums", pipeline="dpo", base="tiny", seed=7)
            nobody = PolicyAdopted(policy=VerifierPolicy(on_registration=False))
            await append(house.store, PolicyAdopted(policy=policy), nobody, role, actor="test")
            (request,) = await append(house.store, wanted, actor="test")
            async with asyncio.timeout(60):
                return await watch(house, request, Story())

    run = asyncio.run(story())
    told = capsys.readouterr().err
    assert f"people are asked about 12 pairs: `ratchet review list {run}-evaluate-1`" in told
    assert told.rstrip().endswith("the run passed all its gates")


def test_answers_behind_a_cancelled_run_are_kept_and_change_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    review = begun(home, "demand")
    run = review.partition("-")[0]
    words = choices(home, review, NEW)
    document(home, "runs", "cancel", run, "--wait")
    (queue,) = document(home, "review", "list")["reviews"]
    assert (queue["status"], queue["run"]) == ("closed", run)
    refused(said(home, "review", "answer", review, "1", "a"), 2, "the run that asked has gone on")
    assert not choices(home, review, NEW)

    async def late() -> None:
        async with owned(home) as house:
            store = house.store
            said_late = json.dumps({"review": review, "answers": words})
            answered = ReviewAnswered.model_validate_json(said_late)
            await append(store, answered, HoldRequested(run=run), actor="test")
            await until(store, "HandRefused")  # what stands before it was heard
            report = await audit(store, AGENTS)
            assert report.good

    asyncio.run(late())
    row = document(home, "runs", "show", run)
    assert (row["status"], row["people"]["open"]) == ("cancelled", False)
    assert row["people"]["answered"] == []
    assert not document(home, "events", "list", "--type", "RunCompleted")["events"]
