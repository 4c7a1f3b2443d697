"""A mark in the place of large things, by which a worker far away knows that its place is the same.

Models and data travel as references, so a worker whose `store.artifacts` is another place than the
owner's would fail at each stage, or train where nobody finds what it made. The owner puts a few
bytes there that nobody else can have, and tells their reference to who asks for work.
"""

from __future__ import annotations

import logging
import time
from uuid import uuid4

from events.artifacts import Artifacts
from events.errors import RatchetError

log = logging.getLogger(__name__)

AGAIN = 60.0
"""Seconds between attempts where nothing can be put: whoever asks for work is not kept waiting."""


class Mark:
    """That of one owner; it is put when the first one asks."""

    def __init__(self, artifacts: str) -> None:
        self._artifacts = artifacts
        self._reference: str | None = None
        self._again = 0.0

    def reference(self) -> str | None:
        """None where there is no such place, or where nothing can be put there just now."""
        wanted = self._reference is None and bool(self._artifacts)
        if wanted and time.monotonic() >= self._again:
            self._again = time.monotonic() + AGAIN
            try:
                ref = Artifacts(self._artifacts).put(f"the owner's mark {uuid4().hex}\n".encode())
            except (OSError, ImportError, ValueError, RatchetError) as error:
                log.warning("workers elsewhere cannot be told the place of artifacts: %s", error)
                return None
            self._reference = ref.sha256
        return self._reference


def elsewhere(artifacts: str, reference: str) -> str:
    """Why what lies under this URL is not the place that has the mark, or ''."""
    try:
        place = Artifacts(artifacts)
        if not place.has(reference):
            return "store.artifacts is another place than the owner's, its mark is not there"
        probe = place.put(f"a worker's probe {uuid4().hex}\n".encode())
        place.remove(probe.sha256)
    except (OSError, ImportError, ValueError, RatchetError) as error:
        return f"store.artifacts cannot be used ({type(error).__name__}: {error})"[:500]
    return ""
