"""Steps as text: `<think>reasoning</think>action;`, one behind the other, and back.

An expert's steps are instances to learn from: the problem with the steps so far, and the next one.
What a model thinks before its action is free; only the action is compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from trainers.model_types.kind import LONGEST, Step

END = ";"
"""Ends a step; no action has it."""
_STEP = re.compile(
    r"\s*<think>(?P<thought>(?:(?!</?think>).)*)</think>(?P<action>[^;]*);?", re.DOTALL
)


def written(step: Step) -> str:
    """A step as a model is to write it."""
    return f"<think>{step.reasoning}</think>{step.action}{END}"


def parsed(text: str) -> str | None:
    """The action of one step; None where the text is not one step and nothing else."""
    match = _STEP.fullmatch(text.strip())
    if match is None or not match["action"].strip():
        return None
    return match["action"].strip()


def actions(text: str) -> list[str] | None:
    """The actions of a whole answer; None where anything else stands between its steps."""
    found, place, text = [], 0, text.strip()
    if len(text) > LONGEST:
        return None
    while place < len(text):
        match = _STEP.match(text, place)
        if match is None or not match["action"].strip():
            return None
        found.append(match["action"].strip())
        place = match.end()
    return found or None


def steps_of(text: str) -> tuple[Step, ...]:
    """The steps that an answer was written in, each worth the same; a text without any is one."""
    if actions(text) is None:
        plain = text.strip()
        return () if not plain or END in plain else (Step("answer", "", plain, 1.0),)
    found = list(_STEP.finditer(text.strip()))
    return tuple(
        Step(f"step {place}", one["thought"], one["action"].strip(), reward)
        for place, (one, reward) in enumerate(zip(found, shares(len(found)), strict=True), 1)
    )


def final(text: str) -> str | None:
    """The answer: what stands behind `=` in the last step; None where there is none, or several."""
    found = actions(text)
    if found is None or [one for one in found if one.startswith("=")] != found[-1:]:
        return None
    return found[-1].removeprefix("=").strip()


def similarity(action: str, expert: str) -> float:
    """From 0 to 1: twice what both share, in order, divided by what both have."""
    return SequenceMatcher(None, action, expert, autojunk=False).ratio()


def instances(
    row: Mapping[str, Any], titled: bool = False, last: bool = True
) -> list[dict[str, Any]]:
    """What one solved problem teaches, step by step: N instances of N steps.

    Without the `last` step, which only says the answer, they are the N - 1 of the SRL paper. In one
    of its readings the prompt also says the title of the step that is to come: `titled`.
    """
    found, before = [], str(row["prompt"])
    steps = [
        Step(one["title"], one["reasoning"], one["action"], one["reward"]) for one in row["steps"]
    ]
    most = max(step.reward for step in steps)
    gap = " " if " " in before else ""  # where words are tokens, a title is a word of its own
    for step in steps if last else steps[:-1]:
        text = written(step)
        found.append(
            {
                "prompt": f"{before}{gap}{step.title}" if titled else before,
                "completion": text,
                "action": step.action,
                "weight": step.reward / most if most else 1.0,
                "last": step is steps[-1],
            }
        )
        before += text
    return found


def shares(many: int) -> list[float]:
    """Rewards of so many steps that sum to exactly 1."""
    each = [1 / many] * (many - 1)
    return [*each, 1 - sum(each)]
