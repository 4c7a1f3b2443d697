"""The streams on the server: made, compared and brought in step explicitly, never by a library.

`RATCHET` holds the newest part of the log; its sequence is the log's position. What tries a
given-up message again would take positions away, so it has a stream of its own.
"""

from __future__ import annotations

from typing import Any

from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from events.errors import Conflict
from events.nats import subjects

LOG = "RATCHET"
AGAIN = "RATCHET_AGAIN"
GIVEN_UP = "RATCHET_GIVEN_UP"

KEPT = 1_000_000
"""Events that the stream holds; who is farther behind reads the log itself."""
BYTES = 2 << 30
DAY = 86_400.0
DUPLICATES = 120.0
"""Seconds for which the server knows an id again. The expected sequence holds without it."""
ADVISORIES = ("MAX_DELIVERIES", "MSG_TERMINATED")
ADVISORY = "$JS.EVENT.ADVISORY.CONSUMER"


def log_stream(log: str, replicas: int, first: int = 1) -> StreamConfig:
    """The stream of the log whose public key is `log`, begun at position `first`."""
    return StreamConfig(
        name=LOG,
        description="the log of Ratchet; the sequence is the position",
        subjects=[f"{subjects.EVENTS}.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_consumers=-1,
        max_msgs=KEPT,
        max_bytes=BYTES,
        max_age=0,
        max_msg_size=-1,
        num_replicas=replicas,
        duplicate_window=DUPLICATES,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
        first_seq=first if first > 1 else None,
        metadata={"log": log},
    )


def again_stream(log: str, replicas: int) -> StreamConfig:
    """Where given-up messages are put to be tried again; each is gone once it was handled."""
    return StreamConfig(
        name=AGAIN,
        description="given-up messages that are tried again",
        subjects=[f"{subjects.AGAIN}.>"],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        max_msgs=100_000,
        max_bytes=64 << 20,
        max_age=30 * DAY,
        num_replicas=replicas,
        duplicate_window=DUPLICATES,
        metadata={"log": log},
    )


def given_up_stream(log: str, replicas: int) -> StreamConfig:
    """The server's own notes of what it gave up, kept until one of us has read them."""
    return StreamConfig(
        name=GIVEN_UP,
        description="what consumers gave up",
        subjects=[f"{ADVISORY}.{kind}.{LOG}.>" for kind in ADVISORIES]
        + [f"{ADVISORY}.{kind}.{AGAIN}.>" for kind in ADVISORIES],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        max_msgs=100_000,
        max_bytes=64 << 20,
        max_age=30 * DAY,
        num_replicas=replicas,
        metadata={"log": log},
    )


async def found(js: Any, name: str) -> Any:
    """What the server knows of a stream, or None where it has none of this name."""
    try:
        return await js.stream_info(name)
    except NotFoundError:
        return None


async def reconciled(js: Any, wanted: StreamConfig) -> Any:
    """The stream as it is wanted: made, or brought in step; what cannot be is an error."""
    info = await found(js, str(wanted.name))
    if info is None:
        return await js.add_stream(wanted)
    differing = differences(info.config, wanted)
    if not differing:
        return info
    try:
        return await js.update_stream(wanted)
    except APIError as error:
        raise Conflict(
            f"stream {wanted.name} differs in {', '.join(differing)} and cannot be changed "
            f"({error.description})",
            where="NATS",
            right=f"remove the stream {wanted.name}: it is made anew from the log",
        ) from None


def differences(there: Any, wanted: Any) -> list[str]:
    """The options in which what is there is not what is wanted; unset ones are the server's."""
    differing = []
    for name, value in vars(wanted).items():
        if value is None or name == "first_seq":
            continue
        other = getattr(there, name)
        if name == "metadata":  # the server adds its own
            other = {key: (other or {}).get(key) for key in value}
        elif isinstance(value, list):
            other, value = list(other or ()), list(value)
        if other != value:
            differing.append(name)
    return differing


def replicas_for(info: dict[str, Any], asked: int) -> int:
    """How often each message is kept: as asked, else 3 times in a cluster and once elsewhere."""
    if asked:
        return asked
    return 3 if info.get("cluster") else 1
