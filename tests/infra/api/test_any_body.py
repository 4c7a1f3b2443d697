"""Whatever is sent, the answer says what is wrong with it, and nothing wrong enters the log."""

from pathlib import Path

from events.message import event_class
from events.replay import history
from tests.infra.api.bodies import bodies
from tests.infra.api.doors import JSON, front, is_refusal

COUNT = 10_000


async def test_ten_thousand_bodies_are_each_answered_in_the_one_shape(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        begin, accepted = await door.head(), 0
        for number, body in enumerate(bodies(COUNT)):
            answer = await door.client.post("/events", content=body, headers=JSON)
            if answer.status_code == 201:
                accepted += 1
                assert answer.json()["position"] == begin + accepted, body[:200]
            else:
                assert answer.status_code in (400, 403, 409, 413), (number, body[:200])
                assert is_refusal(answer), (number, body[:200], answer.text)
                assert len(answer.content) < 4096, (number, body[:200], answer.text)
        assert await door.head() == begin + accepted
        assert 100 < accepted < COUNT / 2
        async for batch in history(door.store):
            for envelope in batch:
                kind = event_class(envelope.type)
                assert kind is not None
                assert envelope.position <= begin or kind.publisher == "anyone"
                assert envelope.event().model_dump_json() == envelope.data
