"""Moved to `events.cron`."""

from events.cron import *  # noqa: F403
from events.cron import BadCron, Cron  # noqa: F401
