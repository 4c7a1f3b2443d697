"""Sealing the personal fields of one event, and opening them again: pure, given the key.

AES-SIV, with the event's id and the field's name as associated data: the same text in the same
place is sealed the same way, so an event that is sent again is recognised; the same text in another
event looks like any other; and a token that was moved elsewhere does not open.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from events.personal import PREFIX, is_sealed

SECRET = 64
"""Bytes of a subject's key: two keys of AES-256, one for the tag and one for the text."""


def sealed(data: str, fields: Sequence[str], secret: bytes, event_id: str) -> str:
    """The data of an event as it may lie in the log."""
    cipher, found = AESSIV(secret), json.loads(data)
    for name in fields:
        if isinstance(found.get(name), str):
            text = found[name].encode("utf-8", "surrogatepass")
            token = cipher.encrypt(text, [event_id.encode(), name.encode()])
            found[name] = PREFIX + urlsafe_b64encode(token).decode().rstrip("=")
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def opened(data: str, secret: bytes, event_id: str) -> str:
    """The data with its personal fields in plain text. What this key does not open stays."""
    cipher, found = AESSIV(secret), json.loads(data)
    for name, value in found.items():
        if is_sealed(value):
            token = value.removeprefix(PREFIX)
            try:
                raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
                text = cipher.decrypt(raw, [event_id.encode(), name.encode()])
            except (InvalidTag, ValueError):
                continue
            found[name] = text.decode("utf-8", "surrogatepass")
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def open_part(data: str, fields: Sequence[str]) -> dict[str, Any]:
    """What can still be compared when the key is gone: everything but the personal texts."""
    found = json.loads(data)
    return {name: name in fields or value for name, value in found.items()}
