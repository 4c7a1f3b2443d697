"""A worker on another machine: it claims, renews, tells progress, and answers under its lease."""

from pathlib import Path
from typing import Any

import pytest

from events.bus import Progress
from events.catalog.roles import RoleDefined
from events.store import EndLocalLeases
from tests.infra.api.doors import TRAINING, Front, front, is_refusal

CLAIM = {"kinds": ["StageRequested"], "holder": "far", "seconds": 60}


async def asked(door: Front) -> None:
    """A run has begun, and its first stage waits for a worker."""
    await door.publish("RoleDefined", {**RoleDefined.example, "role": "support"})
    await door.publish("TrainingRequested", TRAINING)
    for shell in door.house.shells:
        await shell.settle()


async def claimed(door: Front) -> dict[str, Any]:
    answer = await door.client.post("/work/claim", json=CLAIM)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def completed(granted: dict[str, Any], **more: Any) -> dict[str, Any]:
    named = ("run", "stage", "attempt")
    data = {name: granted["request"]["data"][name] for name in named}
    data |= {"seconds": 1.5, **more}
    return {
        "request_id": granted["request"]["event_id"],
        "epoch": granted["epoch"],
        "type": "StageCompleted",
        "data": data,
    }


async def test_a_request_is_claimed_renewed_and_answered_once(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        await asked(door)
        granted = await claimed(door)
        assert granted["request"]["type"] == "StageRequested"
        assert (await claimed(door))["request"] is None
        held = {"request_id": granted["request"]["event_id"], "epoch": granted["epoch"]}
        renewed = (await door.client.post("/work/renew", json={**held, "seconds": 600})).json()
        assert renewed["until"] > granted["until"]
        first = await door.client.post("/work/answer", json=completed(granted))
        again = await door.client.post("/work/answer", json=completed(granted))
        assert (first.status_code, first.json()) == (201, again.json())
        (outcome,) = await door.store.read(types=["StageCompleted"])
        assert outcome.cause_id == granted["request"]["event_id"]
        assert outcome.actor == "worker:http"
        late = await door.client.post("/work/renew", json=held)
        assert late.status_code == 409
        assert is_refusal(late)


async def test_a_worker_asks_for_the_stages_of_its_own_pipelines_alone(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        await asked(door)
        await door.publish("TrainingRequested", {**TRAINING, "pipeline": "dpo"})
        for shell in door.house.shells:
            await shell.settle()

        async def claim(*pipelines: str) -> str | None:
            found = await door.client.post("/work/claim", json={**CLAIM, "pipelines": pipelines})
            request = found.json()["request"]
            return None if request is None else str(request["data"]["pipeline"])

        assert await claim("srf", "distill") is None
        assert await claim("dpo", "srf") == "dpo"
        assert await claim("dpo") is None
        assert await claim() == "rehearsal"
        assert await claim() is None
        granted = await door.store.leases()
        assert [one.epoch for one in granted if one.position] == [1, 1]  # none came and went


async def test_a_new_owner_does_not_end_the_leases_of_those_afar(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        await asked(door)
        granted = await claimed(door)
        await door.store.submit(EndLocalLeases())
        answer = await door.client.post("/work/answer", json=completed(granted))
        assert answer.status_code == 201


async def test_an_answer_without_the_present_lease_is_too_late(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        await asked(door)
        granted = await claimed(door)
        stale = {**completed(granted), "epoch": granted["epoch"] + 1}
        answer = await door.client.post("/work/answer", json=stale)
        assert answer.status_code == 409
        assert not await door.store.read(types=["StageCompleted"])


@pytest.mark.parametrize(
    ("change", "status", "where"),
    [
        ({"request_id": "nothing"}, 404, "request_id"),
        ({"request_id": "0" * 8 + "-0000-0000-0000-" + "0" * 12}, 404, "request_id"),
        ({"type": "PauseRequested", "data": {"run": "a"}}, 403, "type"),
        ({"type": "RunCompleted", "data": {"run": "a"}}, 403, "type"),
        ({"type": "StageComplete"}, 400, "type"),
        ({"data": {}}, 400, "run"),
        ({"epoch": 0}, 400, "epoch"),
        ({"epoch": "1"}, 400, "epoch"),
        ({"epoch": None}, 400, "epoch"),
        ({"surplus": 1}, 400, "surplus"),
    ],
)
async def test_an_answer_that_is_none_is_refused(
    tmp_path: Path, change: dict[str, Any], status: int, where: str
) -> None:
    async with front(tmp_path) as door:
        await asked(door)
        granted = await claimed(door)
        answer = await door.client.post("/work/answer", json={**completed(granted), **change})
        assert (answer.status_code, answer.json()["error"]["where"]) == (status, where)
        assert is_refusal(answer)
        assert not await door.store.read(types=["StageCompleted"])


async def test_an_answer_is_about_what_was_asked(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        await asked(door)
        granted = await claimed(door)
        for other in ({"run": "another"}, {"attempt": 7}, {"stage": "another"}):
            answer = await door.client.post("/work/answer", json=completed(granted, **other))
            assert (answer.status_code, *other) == (
                400,
                answer.json()["error"]["where"].removeprefix("data."),
            )


@pytest.mark.parametrize(
    "change",
    [
        {"kinds": []},
        {"kinds": [""]},
        {"kinds": ["TrainingRequested"]},
        {"kinds": ["RunStarted"]},
        {"kinds": "StageRequested"},
        {"holder": ""},
        {"holder": "a\nb"},
        {"seconds": 0},
        {"seconds": 601},
        {"seconds": "long"},
        {"seconds": None},
    ],
)
async def test_a_claim_is_bounded_and_for_work_only(tmp_path: Path, change: dict[str, Any]) -> None:
    async with front(tmp_path) as door:
        answer = await door.client.post("/work/claim", json={**CLAIM, **change})
        assert answer.status_code == 400, answer.text
        assert is_refusal(answer)


async def test_progress_reaches_whoever_listens(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        await asked(door)
        granted = await claimed(door)
        follower = door.house.bus.follow()
        about = granted["request"]["event_id"]
        said = {"request_id": about, "says": {"step": 3}}
        assert (await door.client.post("/work/progress", json=said)).status_code == 200
        assert await follower.next(1) == Progress(about, {"step": 3})
        much = {**said, "says": {"text": "x" * 20_000}}
        assert (await door.client.post("/work/progress", json=much)).status_code == 400
