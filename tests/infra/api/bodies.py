"""Ten thousand things that somebody might send instead of a message."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

from events.message import event_classes

SHAPES: tuple[bytes, ...] = (
    b"",
    b" ",
    b"null",
    b"[]",
    b"{}",
    b'"TrainingRequested"',
    b"1e400",
    b"NaN",
    b"-Infinity",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"type":' + b"[" * 500 + b"]" * 500 + b"}",
    b'{"type":"PauseRequested","data":' + b'{"run":' * 150 + b"1" + b"}" * 151,
    b"9" * 5001,
    b'{"type":' + b"9" * 5001 + b',"data":{}}',
    b'{"type":"PauseRequested","id":' + b"9" * 5001 + b',"data":{"run":"a"}}',
    b'{"type":"PauseRequested","id":1e400,"data":{"run":"a"}}',
    b'{"type":"PauseRequested","data":{"run":' + b"9" * 5001 + b"}}",
    b'{"type":"PauseRequested","data":' + b"9" * 5001 + b"}",
    b'{"type":"PauseRequested","data":{"run":1e400}}',
    b'{"type":"PauseRequested","data":{"run":NaN}}',
    b'{"type":"PauseRequested","data":{"run":"\\ud800"}}',
    b'{"type":"PauseRequested","data":{"run":"a","reason":"\\ud800\\udc00\\udc00"}}',
    b'{"type":"PauseRequested","data":{"run":"a","reason":"\\u0000"}}',
    b'{"type":"PauseRequested","data":{"run":"a","\\ud800":1}}',
    b'{"\\ud800":1,"type":"PauseRequested","data":{"run":"a"}}',
    b'{"type":"Pause\\u0000Requested","data":{"run":"a"}}',
    b'{"type":"PauseRequested","type":"CancelRequested","data":{"run":"a"},"data":{"run":1}}',
    b'{"type":"PauseRequested","data":{"run":"a"}}\x00',
    b'\xef\xbb\xbf{"type":"PauseRequested","data":{"run":"a"}}',
    '{"type":"PauseRequested","data":{"run":"a"}}'.encode("utf-16"),
    b'{"type":"PauseRequested","data":{"run":"\xff\xfe"}}',
    b'{"type":"PauseRequested","data":{"run":"\xed\xa0\x80"}}',
    '{"type":"\uff30\uff41\uff55\uff53\uff45Requested","data":{"run":"a"}}'.encode(),
    '{"type":"PauseRequested\u202e","data":{"run":"\uff41"}}'.encode(),
    b'{"type":"PauseRequested","data":{"run":"a","' + b"k" * 500_000 + b'":1}}',
    b'{"' + b"k" * 500_000 + b'":1}',
    b'{"type":"' + b"T" * 500_000 + b'"}',
    b'{"type":"PauseRequested","data":{"run":"' + b"a" * 1_000_000 + b'"}}',
    b'{"type":"PauseRequested","data":{"run":"a"},"id":"' + b"0" * 36 + b'"}',
    b'{"type":"PauseRequested","data":{"run":"a"},"id":"00000000-0000-0000-0000-00000000000A"}',
    b'{"type":"PauseRequested","data":{"run":"run\\nb"}}',
    b"x" * ((1 << 20) + 1),
)

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, 2**64, 10**400, 0.1, -0.0, 1e308, "", " ", "a", "\x00", "\n",
    "🐢", "a" * 3000, "\u202e", "\u2028", [], [[]], [None], {}, {"": ""}, {"a": {"b": {"c": []}}},
    "2026-01-01", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00+23",
    "@hourly", "* * * * *", "0s", "99999999d", "../../etc/passwd", "{run}", "%s%n", [0] * 1000,
)  # fmt: skip


def bodies(count: int, seed: int = 7) -> Iterator[bytes]:
    """The same ones for the same seed."""
    yield from SHAPES
    messages: list[dict[str, Any]] = [
        {"type": wire, "data": dict(kind.example)}
        for wire, kind in event_classes().items()
        if not wire.startswith("Test.")
    ]
    open_ones = [one for one in messages if event_classes()[one["type"]].publisher == "anyone"]
    made = len(SHAPES)
    for message in messages:
        yield _written(message)
        made += 1
        for name in message["data"]:
            for value in VALUES if message in open_ones else VALUES[:8]:
                yield _written({**message, "data": {**message["data"], name: value}})
                made += 1
    random = Random(seed)
    while made < count:
        yield _one(random, messages if random.random() < 0.1 else open_ones)
        made += 1


def _one(random: Random, messages: list[dict[str, Any]]) -> bytes:
    message = copy.deepcopy(random.choice(messages))
    match random.randrange(6):
        case 0:
            return random.randbytes(random.randrange(200))
        case 1:
            body = bytearray(_written(message))
            for _ in range(random.randrange(1, 6)):
                body[random.randrange(len(body))] = random.randrange(256)
            return bytes(body)
        case 2:
            body = bytearray(_written(message))
            start = random.randrange(len(body))
            return bytes(body[:start] + body[start + random.randrange(1, 20) :])
        case 3:
            _spoil(random, message)
            return _written(message)
        case 4:
            _spoil(random, message["data"])
            return _written(message)
        case _:
            for value in message["data"].values():
                if isinstance(value, dict):
                    _spoil(random, value)
            _spoil(random, message["data"])
            return _written(message)


def _spoil(random: Random, mapping: dict[str, Any]) -> None:
    names = [*mapping, "surplus", "\u0130", "type", "__class__"]
    for _ in range(random.randrange(1, 4)):
        name = random.choice(names)
        if random.random() < 0.2:
            mapping.pop(name, None)
        else:
            mapping[name] = random.choice(VALUES)


def _written(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")
