"""Reading over HTTP: pages that join, single events, causes and effects, the catalogue, states."""

from pathlib import Path
from typing import Any

import pytest

from tests.infra.api.doors import TRAINING, Front, front, is_refusal


async def said(door: Front, count: int) -> None:
    for number in range(count):
        kind = "PauseRequested" if number % 2 else "HoldRequested"
        assert (await door.publish(kind, {"run": f"r{number}"})).status_code == 201


async def test_pages_join_to_the_whole_history(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        await said(door, 130)
        seen: list[int] = []
        after: int | None = 0
        while after is not None:
            page = (await door.client.get("/events", params={"after": after, "limit": 7})).json()
            seen += [one["position"] for one in page["events"]]
            after = page["next"]
        assert seen == list(range(1, await door.head() + 1))


async def test_a_page_can_be_of_some_types_only(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        await said(door, 10)
        page = (await door.client.get("/events?type=PauseRequested&limit=5")).json()
        assert {one["type"] for one in page["events"]} == {"PauseRequested"}
        assert (len(page["events"]), page["next"]) == (5, None)


async def test_a_page_of_large_events_ends_early_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.api.reading.BYTES", 100)
    monkeypatch.setattr("infra.api.reading.STEP", 4)
    async with front(tmp_path) as door:
        await said(door, 40)
        page = (await door.client.get("/events?limit=1000")).json()
        assert len(page["events"]) < 20
        assert page["next"] == page["events"][-1]["position"]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("after=-1", "after"),
        ("after=x", "after"),
        ("after=99999999999999999999", "after"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("afer=1", "afer"),
    ],
)
async def test_a_question_that_cannot_be_meant_is_refused(
    tmp_path: Path, query: str, where: str
) -> None:
    async with front(tmp_path) as door:
        answer = await door.client.get(f"/events?{query}")
        assert (answer.status_code, answer.json()["error"]["where"]) == (400, where)
        assert is_refusal(answer)


async def test_an_event_is_found_by_id_and_by_position(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        told = (await door.publish("TrainingRequested", TRAINING)).json()
        by_id = (await door.client.get(f"/events/{told['event_id']}")).json()
        by_position = (await door.client.get(f"/events/{told['position']}")).json()
        assert by_id == by_position
        assert by_id["data"].items() >= {**TRAINING, "seed": None}.items()


@pytest.mark.parametrize(
    "path",
    [
        "/events/0",
        "/events/999999",
        "/events/99999999999999999999999",
        "/events/%F0%9F%90%A2",
        "/events/%00",
        "/events/types/PauseRequestd",
        "/events?type=PauseRequestd",
        "/why/nothing",
        "/projections/rums",
        "/nothing",
        "/events/",
        "/",
        "/events/1/2",
        "/docs",
        "/openapi.json",
        "//events",
    ],
)
async def test_what_is_not_there_is_said_in_the_one_shape(tmp_path: Path, path: str) -> None:
    async with front(tmp_path) as door:
        answer = await door.client.get(path)
        assert answer.status_code == 404
        assert is_refusal(answer)


async def test_a_wrong_method_is_told_the_right_ones(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "BREW"):
            answer = await door.client.request(method, "/events")
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
            assert is_refusal(answer)


async def test_the_catalogue_tells_each_type_with_schema_and_example(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        listed = (await door.client.get("/events/types")).json()["types"]
        for row in listed:
            told = (await door.client.get(f"/events/types/{row['type']}")).json()
            assert {"type", "publisher", "schema", "example"} <= set(told)
            assert told["publisher"] == row["publisher"]


async def test_why_tells_causes_and_effects(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        told = (await door.publish("TrainingRequested", TRAINING)).json()
        for shell in door.house.shells:
            await shell.settle()
        found = (await door.client.get(f"/why/{told['event_id']}")).json()
        assert found["event"]["event_id"] == told["event_id"]
        assert [one["type"] for one in found["effects"]] == ["TrainingRejected"]
        effect = found["effects"][0]["event_id"]
        found = (await door.client.get(f"/why/{effect}")).json()
        assert [one["event_id"] for one in found["causes"]] == [told["event_id"]]


async def test_every_projection_that_is_listed_can_be_asked(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        listed: list[dict[str, Any]] = (await door.client.get("/projections")).json()["projections"]
        for row in listed:
            told = (await door.client.get(f"/projections/{row['name']}")).json()
            assert (told["projection"], told["position"]) == (row["name"], await door.head())
        agents = (await door.client.get("/projections/agents")).json()["state"]
        await door.publish("AgentPaused", {"agent": "trainer"})
        later = (await door.client.get("/projections/agents")).json()["state"]
        assert (agents["trainer"]["paused"], later["trainer"]["paused"]) == (False, True)
