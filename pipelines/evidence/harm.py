"""Whether a newcomer fails more often than what it is to replace, told as early as can be.

Successes and failures of both come in blocks: one of the newcomer's and so many of the other's. For
each block there is an e-value against "the newcomer is no worse", made from what was seen before
it, and their product is evidence that may be looked at after every block. (Turner, Ly and Grünwald,
Journal of Statistical Planning and Inference, 2024.)
"""

from __future__ import annotations

import math
from typing import NamedTuple

DOUBT = 0.5
"""Successes and failures that are counted before any was seen."""


class Harm(NamedTuple):
    """What was seen so far, and what it says."""

    right: int = 0
    seen: int = 0
    """Of the newcomer."""
    old_right: int = 0
    old_seen: int = 0
    """Of the other."""
    log_evidence: float = 0.0

    @property
    def evidence(self) -> float:
        """That the newcomer is worse; 1/alpha of it is enough for an error of alpha."""
        return math.exp(min(700.0, self.log_evidence))


def told(state: Harm, right: int, seen: int, old_right: int, old_seen: int) -> Harm:
    """One more block: successes among so many, of the newcomer and of the other."""
    if not (0 <= right <= seen and 0 <= old_right <= old_seen):
        raise ValueError("more successes than there were tries")
    gain = log_gain(_rate(state.right, state.seen), _rate(state.old_right, state.old_seen),
                    right, seen, old_right, old_seen)  # fmt: skip
    return Harm(
        state.right + right,
        state.seen + seen,
        state.old_right + old_right,
        state.old_seen + old_seen,
        state.log_evidence + gain,
    )


def log_gain(
    rate: float, old_rate: float, right: int, seen: int, old_right: int, old_seen: int
) -> float:
    """The logarithm of a block's e-value, for a guess at both rates that was made before it."""
    if rate >= old_rate or not seen or not old_seen:
        return 0.0  # nothing is bet on a newcomer that looks no worse, nor on one side alone
    same = (seen * rate + old_seen * old_rate) / (seen + old_seen)
    return _log_ratio(rate, same, right, seen) + _log_ratio(old_rate, same, old_right, old_seen)


def _log_ratio(rate: float, same: float, right: int, seen: int) -> float:
    wrong = seen - right
    return right * math.log(rate / same) + wrong * math.log((1 - rate) / (1 - same))


def _rate(right: int, seen: int) -> float:
    return (right + DOUBT) / (seen + 2 * DOUBT)
