"""The keys of endpoints, taken out of whatever might show them."""

from __future__ import annotations

import json
from collections.abc import Iterable

SHORTEST = 8
"""Shorter ones are placeholders that local servers ask for, and words of everyday texts."""

IN_ITS_PLACE = "[KEY]"


class Keys:
    """Knows all keys, and shows none."""

    def __init__(self, keys: Iterable[str]) -> None:
        plain = {key for key in keys if len(key) >= SHORTEST}
        escaped = {json.dumps(key)[1:-1] for key in plain}
        slashed = {key.replace("/", "\\/") for key in escaped}
        self._forms = sorted(plain | escaped | slashed, key=len, reverse=True)
        self._bytes = [form.encode() for form in self._forms]

    def out_of(self, text: str) -> str:
        """The text without any of them."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, IN_ITS_PLACE)
        return text

    def out_of_bytes(self, body: bytes) -> bytes:
        """The same, before anybody has read it."""
        for form in self._bytes:
            if form in body:
                body = body.replace(form, IN_ITS_PLACE.encode())
        return body
