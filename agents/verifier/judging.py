"""What is believed of a model behind all that was seen of it: pure sums over counted items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agents.verifier.standing import Candidate
from agents.verifier.suites import TASK
from events.catalog.examinations import Cell
from events.catalog.gates import Checked
from events.catalog.policies import VerifierPolicy
from events.catalog.verification import Judgement, ModelVerified
from pipelines.evidence.discoveries import needed
from pipelines.gates import told as said
from pipelines.suites.comparing import budgeted, checked, worse


class Judged(NamedTuple):
    """The checks, and what they come to."""

    verdict: Judgement
    checks: tuple[Checked, ...] = ()
    """Beside the model before it, over all looks; and beside itself, at this one."""
    evidence: float = 0.0
    needed: float = 0.0
    changed: bool = False
    """It is surely worse than it was itself."""
    lost: bool = False
    """It is surely worse than the model before it."""

    @property
    def reason(self) -> str:
        return "; ".join(said(one) for one in self.checks if one.verdict == "fail")[:2000]

    def failed(self, itself: bool) -> tuple[Checked, ...]:
        return tuple(
            one
            for one in self.checks
            if one.verdict == "fail" and (one.metric == UNCHANGED) == itself
        )


UNCHANGED = "unchanged"
"""The share of its own first score that a model keeps."""


def judged(candidate: Candidate, seen: ModelVerified, policy: VerifierPolicy) -> Judged:
    """By the evidence of all looks together, each comparison with its share of the claim."""
    compared = _comparisons(candidate)
    claim = needed(candidate.claims, candidate.found, policy.alpha)
    enough = claim * max(1, len(compared))
    share = policy.retention
    proof = 1 / policy.alpha  # of each: where all have to be kept, one that is not stops them
    checks = [checked(cells, share, enough, name, proof) for name, cells in compared.items()]
    evidence = max((worse(cells, share) for cells in compared.values()), default=0.0)
    itself = [
        checked(one.cells, share, budgeted(max(1, candidate.looks), policy.alpha), UNCHANGED)
        for one in seen.suites
        if one.compared == "itself"
    ]
    beside = [one for one in checks if one is not None]
    found = (*beside, *(one for one in itself if one is not None))
    return Judged(
        _verdict(found, bool(beside)),
        found,
        evidence,
        enough if compared else 0.0,
        changed=any(one is not None and one.verdict == "fail" for one in itself),
        lost=any(one.verdict == "fail" for one in beside),
    )


def _comparisons(candidate: Candidate) -> dict[str, tuple[Cell, ...]]:
    found = {"retention": candidate.own} if candidate.own else {}
    tasks = {
        f"retention.{name.removeprefix(TASK)}"[:100]: cells
        for name, cells in sorted(candidate.tasks.items())
        if cells
    }
    return found | tasks


def _verdict(checks: Sequence[Checked], compared: bool) -> Judgement:
    verdicts = {one.verdict for one in checks}
    if "fail" in verdicts:
        return "worse"
    if not compared:
        return "measured"
    beside = {one.verdict for one in checks if one.metric != UNCHANGED}
    return "unclear" if "inconclusive" in beside else "holds"
