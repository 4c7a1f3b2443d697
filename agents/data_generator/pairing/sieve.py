"""Pairs of other people, on their way to be ours: bounded, freed of personal data, and looked at.

Whoever has labelled them is believed, unless the type's own verifier decides and says otherwise.
"""

from __future__ import annotations

from typing import Any

from agents.data_generator.sources.sieve import LARGEST, Sieve, clean
from agents.data_generator.sources.source import Row
from events.errors import RatchetError
from pipelines.data.importing import pairs_in
from pipelines.data.preferences import Preference
from pipelines.data.rows import Provenance, deep, finite, line
from trainers.model_types.kind import ModelType, Problem, held_out, problem, problem_of


class PairSieve(Sieve):
    """Takes pairs of one source, keeps what can be learned from, counts the others by reason."""

    def __init__(
        self,
        kind: ModelType,
        source: str,
        redact: bool = True,
        *,
        scorer: str = "whoever labelled it",
        verify: bool = True,
    ) -> None:
        super().__init__(kind, source, redact)
        self._labelled, self._verify = scorer, verify
        self._scorer = scorer

    def take(self, raw: object, licence: str, origin: str) -> bool:
        """Whether the pair is kept; its provenance says who scored it."""
        kept = super().take(raw, licence, origin)
        if kept:
            self.provenance[-1]["scorer"] = self._scorer
        return kept

    def _read(self, raw: object) -> tuple[str, Row | None]:
        if not isinstance(raw, dict) or not all(isinstance(name, str) for name in raw):
            return "no-row", None
        if deep(raw) or not finite(raw):
            return "no-row", None
        given = clean(raw) if self._redact else dict(raw)
        try:
            if len(line({"raw": given})) > LARGEST:
                return "too-large", None
            (found, *_) = pairs_in(given, Provenance(source=self._source, method="pairs"))
        except (ValueError, TypeError, RecursionError):
            return "unfit", None
        if not found.prompt.strip():
            return "unfit", None
        if held_out(found.prompt):  # evaluation may ask it
            return "held-out", None
        key = "\0".join((found.prompt, found.chosen, found.rejected))
        if key in self._seen:
            return "repeated", None
        reason, row = self._settled(found, given)
        if row is not None:
            self._seen.add(key)
        return reason, row

    def _settled(self, found: Preference, given: Row) -> tuple[str, Row | None]:
        """By the verifier where it decides, else as it was labelled."""
        self._scorer = self._labelled
        row = {**found.row(), "gap": round(found.gap, 4)}
        if found.confidence != found.gap:
            row["confidence"] = round(found.confidence, 4)
        scores = self._verified(found, given) if self._verify else None
        if scores is None:
            return "", row
        if scores[0] == scores[1]:
            return "tied", None
        if scores[0] < scores[1]:
            return "wrong", None
        self._scorer = f"verifier {self._type.name}"
        return "", {**found.row(), "gap": round(scores[0] - scores[1], 4)}

    def _verified(self, found: Preference, given: Row) -> tuple[float, float] | None:
        outcome = self._type.rewards.get("outcome")
        if outcome is None:
            return None
        asked = problem_in(self._type, {**given, "prompt": found.prompt})
        try:
            said = [outcome(asked, text) for text in (found.chosen, found.rejected)]
        except RatchetError:
            raise
        except Exception:  # whatever stands in a row of somebody's, the type cannot read it
            return None
        return None if said[0] is None or said[1] is None else (said[0], said[1])


def problem_in(kind: ModelType, row: dict[str, Any]) -> Problem:
    """The problem that a row asks, with its answer where the type finds one."""
    try:
        return problem_of(kind.preprocess(row))
    except RatchetError:
        raise
    except Exception:  # people ask in any form
        return problem(str(row["prompt"]), None, 0.5)
