"""The account of a role's memory: what is kept, what is gone, and by which event each.

It is drawn from decisions in the log, so whoever can verify the log can check it. What should be
gone by the role's policy and is not is listed as overdue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from events.catalog.role_needs import Memory
from events.envelope import parse_time

SHOWN = ("id", "kind", "scope", "status", "sealed", "told_at", "kept_by", "superseded_by",
         "ended_by", "ended_at", "because")  # fmt: skip


def account(
    rows: Iterable[Mapping[str, Any]], role: str, policy: Memory, now: datetime
) -> dict[str, Any]:
    """Of one role, in the order of telling."""
    mine = [row for row in rows if row["role"] == role and row["status"] != "told"]
    kept = [row for row in mine if row["status"] == "kept"]
    return {
        "role": role,
        "policy": {
            "retention_days": policy.retention_days,
            "retention_items": policy.retention_items,
        },
        "counts": dict(sorted(Counter(row["status"] for row in mine).items())),
        "superseded": sum(1 for row in kept if row["superseded_by"]),
        "sealed": sum(1 for row in kept if row["sealed"]),
        "overdue": [row["id"] for row in _overdue(kept, policy, now)],
        "memories": [{name: row[name] for name in SHOWN} for row in mine],
    }


def _overdue(
    kept: list[Mapping[str, Any]], policy: Memory, now: datetime
) -> list[Mapping[str, Any]]:
    late: list[Mapping[str, Any]] = []
    if policy.retention_days is not None:
        until = now - timedelta(days=policy.retention_days)
        late = [row for row in kept if parse_time(row["told_at"]) <= until]
    if policy.retention_items is not None:
        surplus = max(0, len(kept) - len(late) - policy.retention_items)
        late += [row for row in kept if row not in late][:surplus]
    return late
