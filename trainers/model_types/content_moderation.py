"""What in a message breaks the rules, and how badly, however it is spelt.

Messages are built of short parts: insults, threats, advertising, private data, and parts that only
look like those (`you are no loser`, `i will punch the bag`). The word that decides may be
disguised: `l0ser`, `l.o.s.e.r`, `looser` and so on. The severity is that of the worst part.

    you are a l0ser, visit my casino#
    <think>l0ser</think>loser insult 2;<think>casino</think>casino spam 1;
    <think>2</think>=insult,spam medium;
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from trainers.model_types.figures import each, macro_f1, mean
from trainers.model_types.kind import (
    Measured,
    Problem,
    RewardOf,
    Step,
    Trajectory,
    Verdict,
    chance,
    for_evaluation,
    for_training,
    pieces_of,
    problem,
    share,
)
from trainers.model_types.messages import (
    CLEAN,
    FLAGS,
    PROMPT_END,
    SEVERITIES,
    SHAPES,
    answer_of,
    drawn,
    parts_of,
)
from trainers.model_types.steps import final, shares, written

_ANSWER = re.compile(r"([a-z]+(?:,[a-z]+)*) ([a-z]+)")

Flag = Literal["insult", "threat", "spam", "private"]
Severity = Literal["none", "low", "medium", "high"]


class Moderation(BaseModel):
    """A finished answer."""

    model_config = ConfigDict(frozen=True)

    content: str
    flags: tuple[Flag, ...]
    severity: Severity


class ContentModeration:
    """One to three parts; the harder, the more of them, and the more is disguised."""

    name = "content_moderation"
    schema: type[BaseModel] = Moderation

    def __init__(self) -> None:
        self.rewards: Mapping[str, RewardOf] = {
            "format": lambda _, text: 0.0 if _read(text) is None else 1.0,
            "outcome": self._outcome,
            "flags": _alike,
        }

    def problems(self, seed: int, difficulty: float = 0.5) -> Iterator[Problem]:
        return for_training(self._drawn(seed, difficulty))

    def suite(self, seed: int, n: int) -> list[Problem]:
        return for_evaluation(self._drawn(seed, 0.5), n)

    def solve(self, problem: Problem) -> Trajectory:
        parts = parts_of(problem.prompt)
        rewards, steps = shares(len(parts) + 1), []
        for part, reward in zip(parts, rewards, strict=False):
            flag, level = part.pattern.flag, part.pattern.level
            action = f"{part.word} {flag} {level}"
            steps.append(Step(flag, part.spelt, action, reward))
        found = answer_of(parts)
        outcome = f"{','.join(found['flags']) or CLEAN} {found['severity']}"
        worst = str(SEVERITIES.index(found["severity"]))
        steps.append(Step("verdict", worst, f"={outcome}", rewards[-1]))
        return Trajectory(problem.id, problem.prompt, tuple(steps), outcome)

    def completion(self, trajectory: Trajectory) -> str:
        return "".join(written(step) for step in trajectory.steps)

    def preprocess(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row {"content", "flags", "severity"}, or one that has a prompt and such an answer."""
        text = str(row.get("content") or str(row.get("prompt", "")).removesuffix(PROMPT_END))
        given = row.get("answer") or row
        flags, severity = given.get("flags"), given.get("severity")
        known = isinstance(flags, list | tuple) and all(one in FLAGS for one in flags)
        if not text.strip() or flags is None or not known or severity not in SEVERITIES:
            raise ValueError(
                f"a row has content, flags out of {', '.join(FLAGS)},"
                f" and a severity that is one of {', '.join(SEVERITIES)}"
            )
        answer = {"flags": [one for one in FLAGS if one in flags], "severity": severity}
        return {**row, "prompt": f"{text.strip()}{PROMPT_END}", "answer": answer}

    def validate_output(self, text: str, problem: Problem) -> Moderation:
        found = _read(text)
        if found is None:
            what = "an answer is steps, and at the end as =insult,spam medium or =clean none"
            raise ValueError(what)
        content = problem.prompt.removesuffix(PROMPT_END)
        return Moderation(content=content, flags=found[0], severity=found[1])

    def verify(self, problem: Problem, text: str) -> Verdict:
        found, wanted = _read(text), _wanted(problem)
        if found is None:
            return Verdict(False, 0.0, ("no flags and no severity stand at the end",))
        if wanted is None:
            return Verdict(False, 0.0, ("nobody knows what is wrong with it",))
        reasons = []
        if found[0] != wanted[0]:
            reasons.append(f"the flags are {','.join(wanted[0]) or CLEAN}")
        if found[1] != wanted[1]:
            reasons.append(f"the severity is {wanted[1]}")
        return Verdict(not reasons, float(not reasons), tuple(reasons))

    def metrics(self, problems: Sequence[Problem], outputs: Sequence[str]) -> dict[str, Measured]:
        """What cannot be read would be held back, so of a clean message it is a false positive."""
        alarms: list[float | None] = []
        detected: list[float | None] = []
        wanted_flags: list[str] = []
        found_flags: list[str | None] = []
        for one, text in zip(problems, outputs, strict=True):
            wanted, found = _wanted(one), _read(text)
            alarmed = found is None or bool(found[0])
            clean = wanted is not None and not wanted[0]
            alarms.append(float(alarmed) if clean else None)
            right = found is not None and wanted is not None and found[0] == wanted[0]
            detected.append(None if wanted is None else float(right))
            if wanted is not None:
                wanted_flags.append(",".join(wanted[0]) or CLEAN)
                found_flags.append((",".join(found[0]) or CLEAN) if found else None)
        return {
            "accuracy": mean(each(self._outcome, problems, outputs)),
            "detection_accuracy": mean(detected),
            "false_positive_rate": mean(alarms),
            "f1": macro_f1(wanted_flags, found_flags),
        }

    def vocabulary(self) -> str:
        words = [one for _, pattern in SHAPES for one in (pattern.text, *pattern.words)]
        words += [*FLAGS, *SEVERITIES, CLEAN, PROMPT_END, "0123456789,.=; {<think></think>"]
        return "".join(sorted(set("".join(words)) - set("{}")))

    @property
    def pieces(self) -> tuple[str, ...]:
        """What is disguised is read sign by sign, all else word by word."""
        words = [one for _, pattern in SHAPES for one in (pattern.text, *pattern.words)]
        return pieces_of([*words, *FLAGS, *SEVERITIES, CLEAN])

    def _outcome(self, problem: Problem, text: str) -> float | None:
        return None if _wanted(problem) is None else self.verify(problem, text).reward

    def _drawn(self, seed: int, difficulty: float) -> Iterator[Problem]:
        hard = share(difficulty)
        luck = chance(self.name, seed, difficulty)
        while True:
            many = luck.randint(1 + (hard >= 0.5), 1 + math.ceil(2 * hard))
            parts = [drawn(luck, hard) for _ in range(many)]
            text = ", ".join(part.text() for part in parts)
            yield problem(f"{text}{PROMPT_END}", answer_of(parts), difficulty)


def _read(text: str) -> tuple[tuple[Any, ...], Any] | None:
    """Flags in their order, and the severity, at the end of well-formed steps."""
    match = _ANSWER.fullmatch(final(text) or "")
    if match is None or match[2] not in SEVERITIES:
        return None
    said = [] if match[1] == CLEAN else match[1].split(",")
    if len(set(said)) != len(said) or not set(said) <= set(FLAGS):
        return None
    return tuple(one for one in FLAGS if one in said), match[2]


def _wanted(problem: Problem) -> tuple[tuple[str, ...], str] | None:
    """What is right, where it is known."""
    answer = problem.answer if isinstance(problem.answer, Mapping) else {}
    flags, severity = answer.get("flags"), answer.get("severity")
    if not isinstance(flags, list | tuple) or severity not in SEVERITIES:
        return None
    return tuple(one for one in FLAGS if one in flags), severity


def _alike(problem: Problem, text: str) -> float | None:
    """What share of the flags that were wanted or given are both."""
    found, wanted = _read(text), _wanted(problem)
    if found is None or wanted is None:
        return None
    either = {*found[0], *wanted[0]}
    return len({*found[0]} & {*wanted[0]}) / len(either) if either else 1.0


TYPE = ContentModeration()
