"""Gates: figures beside their bounds, judged by their intervals.

A figure passes when its whole interval lies on the right side, fails when all of it lies on the
wrong one, and is inconclusive between. Counts have no interval and are judged as they are. What was
not measured fails, and so does a figure that lies outside of its own interval: a gate that nobody
looked through holds nothing back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from events.catalog.gates import Checked, Side, Verdict
from events.catalog.training import Measured


class Check(NamedTuple):
    """What a gate looks at."""

    metric: str
    side: Side
    bound: float
    counted: bool = False
    """Judged as it is, without an interval: counts, and what is exact."""


def at_least(metric: str, bound: float, counted: bool = False) -> Check:
    return Check(metric, "at_least", bound, counted)


def at_most(metric: str, bound: float, counted: bool = False) -> Check:
    return Check(metric, "at_most", bound, counted)


def judged(
    checks: Sequence[Check],
    measured: Mapping[str, Measured],
    bounds: Mapping[str, float] | None = None,
    waived: Collection[str] = (),
) -> tuple[Checked, ...]:
    """Each check with its verdict.

    `bounds` takes the place of a check's own, as "kl" or "entropy at_least"; of what is `waived`
    the figure itself is accepted where its interval says neither yes nor no.
    """
    found = []
    for one in checks:
        own = (bounds or {}).get(f"{one.metric} {one.side}", (bounds or {}).get(one.metric))
        check = one if own is None else one._replace(bound=own)
        found.append(_judged(check, measured.get(check.metric), check.metric in waived))
    return tuple(found)


def overall(checks: Sequence[Checked]) -> Verdict:
    """The worst of them."""
    verdicts = {one.verdict for one in checks}
    for worst in ("fail", "inconclusive", "waived"):
        if worst in verdicts:
            return worst
    return "pass"


def symptoms(checks: Sequence[Checked]) -> tuple[str, ...]:
    """What remedies are for: `kl above`, `pairs below`, `retention unclear`, `entropy missing`."""
    found = []
    for one in checks:
        if one.verdict == "fail" and one.value is None:
            found.append(f"{one.metric} missing")
        elif one.verdict == "fail":
            found.append(f"{one.metric} {'below' if one.side == 'at_least' else 'above'}")
        elif one.verdict == "inconclusive":
            found.append(f"{one.metric} unclear")
    return tuple(found)


def told(one: Checked) -> str:
    """A check that did not hold, as a person would say it."""
    if one.value is None:
        return f"{one.metric} was not measured"
    side = "below" if one.side == "at_least" else "above"
    span = "" if one.low == one.high else f" ({one.low:.3g} to {one.high:.3g})"
    how = "is" if one.verdict == "fail" else "may be"
    return f"{one.metric} {one.value:.3g}{span} {how} {side} {one.bound:.3g}"


def sound(found: Measured) -> bool:
    """Whether a figure lies within its own interval; who says otherwise has measured nothing."""
    return found.low <= found.value <= found.high


def _judged(check: Check, found: Measured | None, waived: bool) -> Checked:
    if found is None or (not found.n and not check.counted) or not sound(found):
        return Checked(metric=check.metric, side=check.side, bound=check.bound, verdict="fail")
    low, high = (found.value,) * 2 if check.counted else (found.low, found.high)
    return Checked(
        metric=check.metric,
        side=check.side,
        bound=check.bound,
        value=found.value,
        low=low,
        high=high,
        n=found.n,
        verdict=_verdict(check, found.value, low, high, waived),
    )


def _verdict(check: Check, value: float, low: float, high: float, waived: bool) -> Verdict:
    if check.side == "at_most":
        value, low, high, bound = -value, -high, -low, -check.bound
    else:
        bound = check.bound
    if low >= bound:
        return "pass"
    if high < bound:
        return "fail"
    return "waived" if waived and value >= bound else "inconclusive"
