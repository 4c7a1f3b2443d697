"""Everything that can happen, by subject. Importing this makes all of it known by wire name."""

from events.catalog import (
    agents,
    data,
    deadlines,
    hand,
    people,
    policies,
    roles,
    schedules,
    training,
)

__all__ = [
    "agents",
    "data",
    "deadlines",
    "hand",
    "people",
    "policies",
    "roles",
    "schedules",
    "training",
]
