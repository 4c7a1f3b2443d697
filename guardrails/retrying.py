"""Which failed calls are made again, how often, and after how long. Pure: time and luck are given.

Only what may go away by itself is tried again: a broken connection, a timeout, 408, 409, 429, 5xx,
and an answer that breaks off. An endpoint that says when to come back is obeyed, up to a minute;
one that asks for more gets no further call from this ask.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from guardrails.refusals import CallFailed, Kind

TRIES: dict[Kind, int] = {
    "unreachable": 4,
    "rate_limited": 6,
    "server": 4,
    "timeout": 2,
    "rubbish": 2,
}
"""How often a call is made in all, by how it failed last; what is not here is made once."""

FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0
LONGEST_ASKED = 60.0
"""Seconds that an endpoint may ask for by Retry-After."""


def kind_of(status: int, code: str) -> Kind:
    """What a status other than 2xx means; `code` is the word in the body of the error."""
    if code == "insufficient_quota" or status == 402:
        return "quota"
    if code == "content_filter":
        return "refused"
    if status == 429:
        return "rate_limited"
    if status in {408, 409} or (status >= 500 and status != 501):
        return "server"
    return "rejected"


def asked_for(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until the endpoint wants to be asked again; `now` is seconds since 1970."""
    for header, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        said = headers.get(header, "").strip()
        try:
            seconds = float(said) * unit
        except ValueError:
            seconds = _until(said[:100], now)
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return None


def wait_after(failure: CallFailed, tries: int, luck: float) -> float | None:
    """Seconds until the next try, after so many; None where there is none. `luck` is in [0, 1)."""
    if tries >= TRIES.get(failure.kind, 1):
        return None
    if failure.retry_after is not None:
        return failure.retry_after if failure.retry_after <= LONGEST_ASKED else None
    return float(min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1)) * (0.5 + luck / 2))


def _until(said: str, now: float) -> float:
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return math.nan
