"""Alive, ready, and counted: what those who watch over the process may ask."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.infra.api.doors import TRAINING, Front, front


async def figures(door: Front) -> dict[tuple[str, str], float]:
    """By name and by the values of its labels."""
    text = (await door.client.get("/metrics")).text
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_ready_says_where_the_log_is_and_what_does_not_work(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        told = await door.client.get("/readyz")
        assert (told.status_code, told.json()["position"]) == (200, await door.head())
        door.house.stopped["agent trainer"] = "ZeroDivisionError: division by zero"
        told = await door.client.get("/readyz")
        assert told.status_code == 503
        assert told.json()["troubles"] == door.house.stopped
        assert (await door.client.get("/healthz")).status_code == 200


async def test_figures_follow_what_happened(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        await door.publish("TrainingRequested", TRAINING)
        await door.publish("TrainingRequested", {"role": 7})
        before = await figures(door)
        assert before["ratchet_log_position", ""] == await door.head()
        assert before["ratchet_agent_lag", "trainer"] == await door.head()
        assert before["ratchet_rejected_total", ""] == 1
        assert before["ratchet_http_requests_total", "POST,/events,201"] == 1
        assert before["ratchet_http_requests_total", "POST,/events,400"] == 1
        assert before["ratchet_http_request_seconds_count", "POST,/events"] == 2
        for shell in door.house.shells:
            await shell.settle()
        after = await figures(door)
        assert after["ratchet_agent_decisions_total", "trainer"] == 1
        assert after["ratchet_requests_open", ""] == 0


async def test_no_caller_can_make_labels(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        for number in range(50):
            await door.client.get(f"/events/{number}x")
            await door.client.get(f"/nothing/{number}")
            await door.client.request(f"BREW{number}", f"/{number}")
        routes = {label for name, label in await figures(door) if name.endswith("requests_total")}
        assert routes == {
            "GET,/events/{event},404",
            "GET,unmatched,404",
            "other,unmatched,404",
        } | {label for label in routes if label.startswith("GET,/metrics")}
