"""How much evidence the next claim needs, when claims never end.

Who tries a thousand techniques at 5 % adopts fifty that do nothing. e-LOND holds the share of false
ones among all that were ever adopted below alpha: each claim gets a part of alpha that shrinks with
the number of claims and grows with those that were adopted. (Xu and Ramdas, 2024.)
"""

from __future__ import annotations

from collections.abc import Iterable


def needed(claims: int, adopted: int, alpha: float = 0.05) -> float:
    """The evidence that the next claim needs, behind so many, of which so many were adopted."""
    if not 0 <= adopted <= claims:
        raise ValueError(f"{adopted} of {claims} claims cannot have been adopted")
    turn = claims + 1
    return turn * (turn + 1) / (alpha * (adopted + 1))  # the parts 1/(t(t+1)) sum to 1


def adopted(evidence: Iterable[float], alpha: float = 0.05) -> list[bool]:
    """Which of some claims are adopted, one after the other."""
    found: list[bool] = []
    for one in evidence:
        found.append(one >= needed(len(found), sum(found), alpha))
    return found
