"""When a schedule falls due, as values: a period, or a cron expression in a time zone.

Here they are read and checked, because an event that holds them must not be accepted otherwise;
which slots they have is the subject of `agents/scheduler/slots.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from events.cron import Cron

PERIOD = re.compile(
    r"(?:(?P<weeks>[0-9]{1,8})w)?(?:(?P<days>[0-9]{1,8})d)?(?:(?P<hours>[0-9]{1,8})h)?"
    r"(?:(?P<minutes>[0-9]{1,8})m)?(?:(?P<seconds>[0-9]{1,8})s)?"
)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class BadEvery(ValueError):
    """The text is no period, or one outside a second to 366 days."""


class BadZone(ValueError):
    """The zone database has no zone of that name."""


class BadTiming(ValueError):
    """Neither a period nor a cron expression, or both."""


@dataclass(frozen=True)
class Every:
    """The slots are anchor + period, anchor + 2 * period, ..., whatever was missed: no drift."""

    period: timedelta
    anchor: datetime

    def __post_init__(self) -> None:
        naive_utc(self.anchor)
        kept(self.period)


@dataclass(frozen=True)
class On:
    """The slots are the readings of the wall clock in `zone` that `cron` names."""

    cron: Cron
    zone: ZoneInfo


Timing = Every | On


def timing(
    every: str | None, cron: str | None, zone: str = "UTC", anchor: datetime = BEGINNING
) -> Timing:
    """The timing that these texts mean; one clear sentence in a `ValueError` where they do not."""
    place = zone_named(zone)
    if (every is None) == (cron is None):
        raise BadTiming("a schedule has either `every` or `cron`, for instance every: 5m.")
    if cron is not None:
        return On(Cron.parse(cron), place)
    return Every(parse_every(every or ""), anchor)


def parse_every(text: str) -> timedelta:
    match = PERIOD.fullmatch(text.strip())
    if match is None or not match[0]:
        raise BadEvery(
            f"{text[:60]!r} is no period; write whole numbers of w, d, h, m or s, the larger unit "
            "first, from 1s to 366d, such as 90s, 5m or 1h30m."
        )
    return kept(timedelta(**{unit: int(many or 0) for unit, many in match.groupdict().items()}))


def zone_named(text: str = "UTC") -> ZoneInfo:
    if text == "UTC" or text in _zone_names():
        return ZoneInfo(text)
    by_lower = {name.lower(): name for name in sorted(_zone_names())}
    near = get_close_matches(text[:60].lower(), by_lower, n=1, cutoff=0.5)
    remedy = f"did you mean {by_lower[near[0]]}?" if near else "write one such as Europe/Berlin."
    raise BadZone(f"there is no time zone {text[:60]!r}; {remedy}")


def kept(period: timedelta) -> timedelta:
    if not SECOND <= period <= 366 * DAY:
        raise BadEvery(f"a period of {period} cannot be kept; write one from 1s to 366d.")
    return period


def naive_utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no zone; write an aware moment, such as UTC.")
    if not 2 <= moment.year <= 9500:
        raise ValueError(f"{moment.isoformat()} is too far away; write a year from 2 to 9500.")
    return moment.astimezone(UTC).replace(tzinfo=None)


@cache
def _zone_names() -> frozenset[str]:
    """All but `localtime`, which differs from machine to machine, and `Factory`, no place."""
    return frozenset(available_timezones() - {"localtime", "Factory"})
