"""Whatever is sent, the answer says what is wrong with it, and nothing wrong enters the log."""

from pathlib import Path
from random import Random

import httpx

from events.message import event_class
from events.replay import history
from tests.infra.api.bodies import bodies
from tests.infra.api.doors import JSON, front, is_refusal

COUNT = 10_000
WORK = ("/work/claim", "/work/renew", "/work/answer", "/work/progress")
PATHS = (
    b"/", b"/events", b"/events/", b"/events/types/", b"/why/", b"/projections/", b"/readyz",
    b"/metrics", b"/healthz", b"/events/1", b"/why/2",
)  # fmt: skip
QUESTIONS = (b"", b"after=", b"limit=", b"type=", b"after=1&limit=", b"after=0&after=")
BYTES = b"%%%/.0129acfEZ&=+;[]{}'~^-_" + bytes((0x22, 0x5C))


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


async def test_workers_are_answered_in_the_same_shape_whatever_they_send(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        head = await door.head()
        for number, body in enumerate(bodies(1500)):
            path = WORK[number % len(WORK)]
            answer = await door.client.post(path, content=body, headers=JSON)
            assert answer.status_code in (400, 404, 413), (path, body[:200], answer.text)
            assert is_refusal(answer), (path, body[:200], answer.text)
        assert await door.head() == head


async def test_no_path_question_or_header_breaks_the_door(tmp_path: Path) -> None:
    random = Random(7)
    async with front(tmp_path) as door:
        for number in range(2000):
            path = random.choice(PATHS) + bytes(random.choices(BYTES, k=random.randrange(8)))
            asked = random.choice(QUESTIONS) + bytes(random.choices(BYTES, k=random.randrange(8)))
            name = random.choice((b"last-event-id", b"origin", b"x", b"accept", b"content-length"))
            headers = {name: random.randbytes(random.randrange(9)).translate(None, b"\r\n\0")}
            url = httpx.URL("http://localhost", raw_path=path + b"?" + asked)
            if path.endswith((b"/tail", b"/progress")):
                continue
            answer = await door.client.get(url, headers=headers)
            assert answer.is_success or is_refusal(answer), (number, path, asked, answer.text)
            assert answer.status_code < 500, (number, path, asked, answer.text)
