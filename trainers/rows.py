"""What a row is, for each trainer, and what it stands for when rows are compared.

Fields that are not named here stay in the row: rewards and metrics may want them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Row(BaseModel):
    """One line of a file of rows."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, defer_build=True)

    def wrong(self) -> str:
        """What is wrong with it beyond its fields, or ''."""
        return ""

    def label(self) -> str | None:
        """What it teaches to tell apart; rows that all teach the same teach nothing."""
        return None

    def ends(self) -> tuple[str, ...]:
        """The texts that have to be finished."""
        return ()


class Written(Row):
    """A prompt, and the completion to imitate."""

    prompt: str
    completion: str = Field(min_length=1)
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)

    def label(self) -> str | None:
        return self.completion

    def ends(self) -> tuple[str, ...]:
        return (self.completion,)


class Pair(Row):
    """Two completions of a prompt, of which one is better."""

    prompt: str
    chosen: str
    rejected: str

    def wrong(self) -> str:
        return "chosen and rejected are the same" if self.chosen == self.rejected else ""


class Labelled(Row):
    """A completion that is good (1) or not (0)."""

    prompt: str
    completion: str
    label_: Literal[0, 1] = Field(alias="label")

    def label(self) -> str | None:
        return str(self.label_)


class Prompted(Row):
    """A prompt alone."""

    prompt: str = Field(min_length=1)


class Evaluated(Prompted):
    """A problem that is evaluated."""

    difficulty: float = Field(default=0.5, ge=0, le=1)


class Asked(Evaluated):
    """A problem with the answer that its verifier knows."""

    answer: JsonValue = None

    def label(self) -> str | None:
        return None if self.answer is None else repr(_classed(self.answer))


def _classed(answer: JsonValue) -> JsonValue:
    """Of an answer with several parts those that tell classes apart, such as a sentiment, without
    its confidence."""
    if not isinstance(answer, dict):
        return answer
    return {name: one for name, one in answer.items() if type(one) not in (int, float)} or answer


class Step(BaseModel):
    """One step of an expert."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, defer_build=True)

    title: str
    reasoning: str
    action: str = Field(min_length=1)
    reward: float = Field(ge=0, le=1, allow_inf_nan=False)


class Solved(Row):
    """A problem that an expert solved step by step."""

    prompt: str = Field(min_length=1)
    steps: list[Step] = Field(min_length=1)
    outcome: str

    def wrong(self) -> str:
        total = sum(step.reward for step in self.steps)
        return (
            "" if abs(total - 1) < 1e-3 else f"the rewards of its steps sum to {total:.3g}, not 1"
        )

    def label(self) -> str | None:
        return self.outcome


def row_kind(trainer: str, settings: Any) -> type[Row]:
    """What this trainer reads; of somebody's own trainer nothing is known."""
    match trainer:
        case "sft":
            return Written
        case "reward":
            return Labelled if settings.loss == "bce" else Pair
        case "dpo":
            return Pair
        case "grpo" | "ppo":
            return Asked if settings.reward == "verifier" else Prompted
        case "rlvr":
            return Asked
        case "srl":
            return Solved
        case "measure":
            known: dict[str, type[Row]] = {
                "answers": Evaluated,
                "samples": Prompted,
                "speed": Prompted,
                "likelihood": Written,
            }
            return known.get(settings.of, Pair)
        case "distill":
            alone = settings.mode == "on_policy" and settings.on_policy_share == 1
            return Prompted if alone else Written
    return Row


def held_out_kind(trainer: str, settings: Any, first: Mapping[str, Any]) -> type[Row]:
    """What its held-out rows are: problems, or for who learns from pairs and labels those again."""
    kind = row_kind(trainer, settings)
    if kind is Row or trainer in ("reward", "measure"):
        return kind
    if trainer == "dpo" and ("chosen" in first or "rejected" in first):
        return Pair
    return Evaluated
