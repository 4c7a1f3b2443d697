"""Everything that can happen, by subject. Importing this makes all of it known by wire name."""

from events.catalog import agents, deadlines, hand, people, policies, roles, schedules, training

__all__ = ["agents", "deadlines", "hand", "people", "policies", "roles", "schedules", "training"]
