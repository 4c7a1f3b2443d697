"""Ids of events: fresh ones in the order of time, derived ones from what caused them."""

import os
import time
from uuid import UUID, uuid5

NAMESPACE = UUID("7a1c5a52-4d0e-5f0b-9d5e-2f7d0f6f8c11")


def new_id() -> str:
    """A version 7 uuid: neighbours in time are neighbours in an index, which halves its cost."""
    millis = time.time_ns() // 1_000_000
    low = int.from_bytes(os.urandom(10), "big")
    value = millis << 80 | 7 << 76 | (low >> 68) << 64 | 2 << 62 | (low & (2**62 - 1))
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def derived_id(*parts: object) -> str:
    """The same parts, the same id, in every process and for ever."""
    return str(uuid5(NAMESPACE, "\x1f".join(map(str, parts))))


def is_id(text: str) -> bool:
    """Whether `text` is a uuid in its usual, lower-case form."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
