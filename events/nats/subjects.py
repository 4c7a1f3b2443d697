"""Where things are said on NATS. These names are promised to clients in every language.

A subject carries type and partition and never an id, so that their number stays small. All events
of one stream of the log lie in one partition, in order.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

EVENTS = "ratchet.events"
"""`ratchet.events.<Type>.<partition>`: what the log holds."""
AGAIN = "ratchet.again"
"""`ratchet.again.<consumer>`: what was given up, and is tried again."""
PUBLISH = "ratchet.publish"
"""`ratchet.publish.<Type>`: what somebody wants to be said."""
WORK = "ratchet.work"
"""`ratchet.work.claim`, `renew`, `answer`, `progress`: workers on other machines."""
OPERATIONS = ("claim", "renew", "answer", "progress")
PROGRESS = "ratchet.progress"
"""How far long work has come, for whoever listens now."""
BELL = "ratchet.bell"
"""That the log has grown, and by which types; between processes of ours only."""

PARTITIONS = 16


@lru_cache(maxsize=65536)
def partition(stream: str) -> str:
    """The partition of a stream of the log: two digits."""
    digest = sha256(stream.encode("utf-8", "surrogatepass")).digest()
    return f"{int.from_bytes(digest[:8], 'big') % PARTITIONS:02}"


def of_event(kind: str, stream: str) -> str:
    """Where an event of this type and stream of the log is told."""
    return f"{EVENTS}.{kind}.{partition(stream)}"


def of_type(kind: str) -> str:
    """The filter for all events of one type."""
    return f"{EVENTS}.{kind}.*"


def kind_of(subject: str) -> str:
    """The type of event that is told there."""
    return subject[len(EVENTS) + 1 :].rpartition(".")[0]


def again(consumer: str) -> str:
    return f"{AGAIN}.{consumer}"
