"""Preferences out of scored answers: of each prompt the best beside the others.

Scores lie between 0 and 1, whoever gave them: a judge, a reward model, a verifier, people. The gap
of a pair is the chosen one's score less the rejected one's. Its confidence is the gap too, unless
who scored says another, as several people do who do not agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.data.rows import Provenance, Row
from pipelines.data.words import plain


@dataclass(frozen=True)
class Answer:
    """One answer to a prompt, and what it was given."""

    text: str
    score: float


@dataclass(frozen=True)
class Scored:
    """A prompt with several answers."""

    prompt: str
    answers: Sequence[Answer]
    provenance: Provenance
    confidence: float | None = None
    """How sure who scored is, where that is known; else the gap says it."""


@dataclass(frozen=True)
class Preference:
    """One pair."""

    prompt: str
    chosen: str
    rejected: str
    gap: float
    confidence: float
    provenance: Provenance

    def row(self) -> Row:
        return {"prompt": self.prompt, "chosen": self.chosen, "rejected": self.rejected}

    def kept(self) -> Row:
        """As it lies in a file of pairs."""
        return {**self.row(), "gap": round(self.gap, 4)}


def preferences(scored: Iterable[Scored], each: int = 1) -> list[Preference]:
    """Of every prompt the best answer beside the others, the worst first; `each` pairs at most.
    Answers that read the same, and those that scored the same as the best, make no pair.
    """
    found = []
    for one in scored:
        ranked = sorted(one.answers, key=lambda answer: (-answer.score, answer.text))
        if not ranked:
            continue
        best, pairs = ranked[0], 0
        for other in reversed(ranked[1:]):
            if pairs == each or other.score >= best.score:
                break
            if plain(other.text).split() == plain(best.text).split():
                continue
            gap = round(best.score - other.score, 9)  # 0.6 less 0.4 is not below 0.2
            sure = gap if one.confidence is None else one.confidence
            found.append(Preference(one.prompt, best.text, other.text, gap, sure, one.provenance))
            pairs += 1
    return found
