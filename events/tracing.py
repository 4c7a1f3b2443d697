"""Trace context (W3C): one correlation of the log is one trace elsewhere."""

from __future__ import annotations

import re
from uuid import UUID

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


def correlation_of(traceparent: str | None) -> str | None:
    """The correlation that continues a caller's trace; None where there is none to continue."""
    match = _TRACEPARENT.fullmatch((traceparent or "").strip()[:200])
    if match is None or not int(match[1], 16) or not int(match[2], 16):
        return None
    return str(UUID(match[1]))
