"""Preferences that contradict each other: A before B and B before A, or round in a circle.

Opposite words about two answers are weighed: what is left of the one when the other is taken off,
as a share of both, has to be as much as a single pair's confidence would have to be. Of a circle,
such as A before B before C before A, the least sure pair is set aside until none is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipelines.data.preferences import Preference
from pipelines.data.words import plain

Key = tuple[str, ...]
Edges = dict[tuple[Key, Key], Preference]


@dataclass(frozen=True)
class Settled:
    """What agrees, what does not, and what was said before."""

    kept: list[Preference]
    aside: list[Preference]
    repeated: list[Preference]


def settled(pairs: Sequence[Preference], least: float) -> Settled:
    """The pairs in their order, without those that contradict others."""
    prompts: defaultdict[Key, list[Preference]] = defaultdict(list)
    for one in pairs:
        prompts[_key(one.prompt)].append(one)
    kept: list[Preference] = []
    aside: list[Preference] = []
    repeated: list[Preference] = []
    for group in prompts.values():
        edges = _weighed(group, least, aside, repeated)
        _opened(edges, aside)
        kept += edges.values()
    return Settled(kept, aside, repeated)


def _weighed(
    group: Iterable[Preference],
    least: float,
    aside: list[Preference],
    repeated: list[Preference],
) -> Edges:
    """One pair for every two answers, or none where opposite words weigh nearly the same."""
    said: defaultdict[tuple[Key, Key], list[Preference]] = defaultdict(list)
    for one in group:
        chosen, rejected = _key(one.chosen), _key(one.rejected)
        if chosen == rejected:
            aside.append(one)
        else:
            said[chosen, rejected].append(one)
    edges: Edges = {}
    for (chosen, rejected), pairs in said.items():
        against = said.get((rejected, chosen), [])
        surest, *others = sorted(pairs, key=lambda one: -one.confidence)
        if not against:
            edges[chosen, rejected] = surest
            repeated += others
            continue
        weight, other = _weight(pairs), _weight(against)
        left = (weight - other) / max(weight + other, 1e-9)
        if left >= least:
            edges[chosen, rejected] = replace(surest, confidence=left)
            repeated += others
        else:
            aside += pairs
    return edges


def _opened(edges: Edges, aside: list[Preference]) -> None:
    """Take the least sure pair out of every circle."""
    while circle := _circle(edges):
        weakest = min(circle, key=lambda edge: (edges[edge].confidence, edge))
        aside.append(edges.pop(weakest))


def _circle(edges: Mapping[tuple[Key, Key], object]) -> list[tuple[Key, Key]]:
    """The pairs of one circle; none where there is none."""
    beyond: defaultdict[Key, list[Key]] = defaultdict(list)
    for better, worse in sorted(edges):
        beyond[better].append(worse)
    done: set[Key] = set()
    for start in list(beyond):
        path: list[Key] = []
        open_ones = [(start, iter(beyond[start]))] if start not in done else []
        path.append(start)
        while open_ones:
            at, rest = open_ones[-1]
            following = next((one for one in rest if one not in done), None)
            if following is None:
                done.add(at)
                open_ones.pop()
                path.pop()
            elif following in path:
                round_again = [*path[path.index(following) :], following]
                return list(pairwise(round_again))
            else:
                path.append(following)
                open_ones.append((following, iter(beyond.get(following, []))))
    return []


def _key(text: str) -> Key:
    return tuple(plain(text).split())


def _weight(pairs: Iterable[Preference]) -> float:
    return sum(max(one.confidence, 0.0) for one in pairs)
