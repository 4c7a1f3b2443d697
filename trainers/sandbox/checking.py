"""Puts tests to a program, in as few processes as it takes, and judges its answers out here."""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from trainers.sandbox.answers import LOADED, read
from trainers.sandbox.ending import Ending, how_ended
from trainers.sandbox.exam import Exam, trouble
from trainers.sandbox.launch import Order
from trainers.sandbox.plan import Walls
from trainers.sandbox.room import rooms

ASKER = Path(__file__).with_name("asker.py")
LEAST_SECONDS = 0.05
"""With less it is not worth to begin again."""


class Checked(NamedTuple):
    """What became of one test."""

    passed: bool
    reason: str = ""
    """Why not."""


def examined(
    walls: Walls, program: str, exams: Sequence[Exam], limits: Order
) -> tuple[Checked, ...]:
    """A test that ends its process fails, and the others go on in a new one while time is left."""
    found: dict[int, Checked] = {}
    left = limits.seconds
    while missing := [number for number in range(len(exams)) if number not in found]:
        asked = marshal.dumps((program, [(number, exams[number].steps) for number in missing]))
        order = limits._replace(loader=_asker(), program=asked, seconds=left, answers=True)
        ending = rooms().carry_out(walls, order)
        left -= ending.seconds
        answers = read(ending.answers)
        for number in missing:
            if number in answers:
                why = trouble(exams[number], answers[number])
                found[number] = Checked(not why, why)
        unanswered = [number for number in missing if number not in found]
        loaded = answers.get(LOADED)
        if loaded == []:
            found |= dict.fromkeys(unanswered[:1], Checked(False, _end(ending, limits)))
        else:
            why = (loaded[0].trouble if loaded else "") or _end(ending, limits)
            found |= dict.fromkeys(unanswered, Checked(False, why))
        if left < LEAST_SECONDS:
            found = dict.fromkeys(unanswered, Checked(False, "timeout")) | found
    return tuple(found[number] for number in range(len(exams)))


def _end(ending: Ending, limits: Order) -> str:
    ended = how_ended(ending, limits.memory_mb)
    return f"the program ended itself, with {ending.code}" if ended == "finished" else ended


@cache
def _asker() -> str:
    return ASKER.read_text(encoding="utf-8")
