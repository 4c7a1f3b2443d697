"""The scheduler: says which slots of which schedules fire."""

from agents.scheduler.decide import SCHEDULER

__all__ = ["SCHEDULER"]
