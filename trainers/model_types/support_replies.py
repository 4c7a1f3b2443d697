"""Replies to customers, in free words, which a hidden rubric scores from 0 to 1.

There is no one right reply. A good one says sorry, promises what the customer wants (0.4) for the
thing it is about, and ends politely (0.2 each). Models learn it from preferences; the rubric
labels them and measures what came of it, and no model ever sees it. `draft` writes as people do,
about half as well: from that a policy begins.

    ticket : my phone works , but the laptop came broken . i want my money back :
    sorry about that . we will refund your laptop . kind regards
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from trainers.model_types.figures import each, mean
from trainers.model_types.kind import (
    LONGEST,
    Measured,
    Problem,
    RewardOf,
    Step,
    Trajectory,
    Verdict,
    chance,
    for_evaluation,
    for_training,
    problem,
    share,
)
from trainers.model_types.steps import END, actions

ITEMS = ("laptop", "phone", "camera", "printer", "headset", "tablet", "monitor", "keyboard")
STATES = ("broken", "scratched", "late", "wrong")
COMPLAINTS = ("my {item} is {state}", "the {item} came {state}", "my new {item} is {state} again")
ASIDES = ("my {item} works , but", "the {item} is fine , but")
WISHES = {
    "refund": ("i want my money back", "please refund it"),
    "replace": ("please send another one", "i want a better one"),
    "repair": ("please fix it", "can you repair it"),
    "cancel": ("please stop the order", "i do not need it any more"),
}
REFUSED = {
    "refund": "i want no money",
    "replace": "do not send another one",
    "repair": "do not fix it",
    "cancel": "do not stop the order",
}
APOLOGIES = ("sorry about that .", "we are sorry .", "i apologise for that .")
PROMISES = ("we will {action} your {item} .", "i will {action} the {item} today .")
CLOSES = ("kind regards", "best wishes", "thank you")
WILL = ("will", "i'll", "we'll")
TICKET, COLON = "ticket :", ":"
MOST_WORDS = 40
"""A longer reply is none: else all could be promised at once."""


class Reply(BaseModel):
    """A finished answer."""

    model_config = ConfigDict(frozen=True)

    ticket: str
    reply: str = Field(min_length=1)


class Ticket(NamedTuple):
    """What a customer wants, and how it is said."""

    action: str
    item: str
    text: str


class SupportReplies:
    """The harder, the more is said besides, and the more of it is not what the customer wants."""

    name = "support_replies"
    schema: type[BaseModel] = Reply

    def __init__(self) -> None:
        self.rewards: Mapping[str, RewardOf] = {
            "format": lambda _, text: 0.0 if _words(text) is None else 1.0,
            "outcome": self._outcome,
        }

    def problems(self, seed: int, difficulty: float = 0.5) -> Iterator[Problem]:
        return for_training(self._drawn(seed, difficulty))

    def suite(self, seed: int, n: int) -> list[Problem]:
        return for_evaluation(self._drawn(seed, 0.5), n)

    def solve(self, problem: Problem) -> Trajectory:
        wanted = _wanted(problem)
        if wanted is None:
            raise ValueError("nobody knows what this customer wants")
        action, item = wanted
        luck = chance("reply", problem.id)
        promise = luck.choice(PROMISES).format(action=action, item=item)
        steps = (
            Step("apology", item, luck.choice(APOLOGIES), 0.2),
            Step("promise", f"{action} {item}", promise, 0.6),
            Step("close", "close", luck.choice(CLOSES), 0.2),
        )
        outcome = " ".join(step.action for step in steps)
        return Trajectory(problem.id, problem.prompt, steps, outcome)

    def completion(self, trajectory: Trajectory) -> str:
        """The reply as it is sent; SRL writes the same in steps."""
        return trajectory.outcome

    def draft(self, problem: Problem, seed: int) -> str:
        """As somebody may have written it: something is often forgotten or wrong."""
        wanted = _wanted(problem)
        if wanted is None:
            raise ValueError("nobody knows what this customer wants")
        luck = chance("draft", problem.id, seed)
        action = wanted[0] if luck.random() < 0.4 else luck.choice(list(WISHES))
        item = wanted[1] if luck.random() < 0.6 else luck.choice(ITEMS)
        parts = [luck.choice(PROMISES).format(action=action, item=item)]
        if luck.random() < 0.4:
            parts.insert(0, luck.choice(APOLOGIES))
        if luck.random() < 0.4:
            parts.append(luck.choice(CLOSES))
        return " ".join(parts)

    def rubric(self, problem: Problem, text: str) -> float:
        """The hidden score."""
        words, wanted = _words(text), _wanted(problem)
        if words is None or wanted is None:
            return 0.0
        points = [
            4 * (_promised(words) == [wanted[0]]),
            2 * ([one for one in words if one in ITEMS] == [wanted[1]]),
            2 * (not {"sorry", "apologise"}.isdisjoint(words)),
            2 * (" ".join(words[-2:]) in CLOSES),
        ]
        return sum(points) / 10

    def preprocess(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row {"ticket", "action", "item"}, or one that has a prompt and such an answer."""
        text = str(row.get("ticket") or row.get("prompt", "")).strip()
        text = text.removeprefix(TICKET).removesuffix(COLON).strip()
        given = row.get("answer") or row
        action, item = given.get("action"), given.get("item")
        if not text or action not in WISHES or item not in ITEMS:
            raise ValueError(
                f"a row has a ticket, an action that is one of {', '.join(WISHES)},"
                f" and an item that is one of {', '.join(ITEMS)}"
            )
        return {
            **row,
            "prompt": f"{TICKET} {text} {COLON}",
            "answer": {"action": action, "item": item},
        }

    def validate_output(self, text: str, problem: Problem) -> Reply:
        words = _words(text)
        if words is None:
            raise ValueError(f"a reply has 1 to {MOST_WORDS} words, or is written in steps")
        ticket = problem.prompt.removeprefix(TICKET).removesuffix(COLON).strip()
        return Reply(ticket=ticket, reply=" ".join(words))

    def verify(self, problem: Problem, text: str) -> Verdict:
        if _words(text) is None:
            return Verdict(False, 0.0, ("it is no reply",))
        if _wanted(problem) is None:
            return Verdict(False, 0.0, ("nobody knows what the customer wants",))
        score = self.rubric(problem, text)
        return Verdict(score == 1, score, () if score == 1 else (f"scored {score}",))

    def metrics(self, problems: Sequence[Problem], outputs: Sequence[str]) -> dict[str, Measured]:
        scores = each(self._outcome, problems, outputs)
        whole = [None if score is None else float(score == 1) for score in scores]
        return {"accuracy": mean(whole), "rubric": mean(scores)}

    def vocabulary(self) -> list[str]:
        texts = [*COMPLAINTS, *ASIDES, *REFUSED.values(), *APOLOGIES, *PROMISES, *CLOSES]
        texts += [text for wishes in WISHES.values() for text in wishes]
        texts += [*ITEMS, *STATES, *WISHES, TICKET, ", . <think> </think> close apology promise"]
        words = {word for text in texts for word in text.split() if not word.startswith("{")}
        return [*sorted(words), END]

    def _outcome(self, problem: Problem, text: str) -> float | None:
        return None if _wanted(problem) is None else self.rubric(problem, text)

    def _drawn(self, seed: int, difficulty: float) -> Iterator[Problem]:
        luck = chance(self.name, seed, difficulty)
        while True:
            ticket = _ticket(luck, share(difficulty))
            answer = {"action": ticket.action, "item": ticket.item}
            yield problem(f"{TICKET} {ticket.text} {COLON}", answer, difficulty)


def _ticket(luck: Random, hard: float) -> Ticket:
    item, other = luck.sample(ITEMS, 2)
    action, unwanted = luck.sample(list(WISHES), 2)
    words = luck.choice(COMPLAINTS).format(item=item, state=luck.choice(STATES))
    if luck.random() < hard:
        words = f"{luck.choice(ASIDES).format(item=other)} {words}"
    wishes = [luck.choice(WISHES[action])]
    if luck.random() < hard:
        wishes.insert(luck.randrange(2), REFUSED[unwanted])
    return Ticket(action, item, f"{words} . {' , '.join(wishes)}")


def _words(text: str) -> list[str] | None:
    """The words of a reply, be it plain or in steps; None where it is neither."""
    if len(text) > LONGEST:
        return None
    if "<think>" in text or "</think>" in text:
        found = actions(text)
        text = " ".join(found) if found else ""
    words = re.sub(r"([.,!?;:])", r" \1 ", text.lower()).split()
    return words if 1 <= len(words) <= MOST_WORDS else None


def _promised(words: Sequence[str]) -> list[str]:
    """What is said to be done; what is named and not promised counts as something else."""
    pairs = zip(["", *words], words, strict=False)
    return [word if before in WILL else f"no {word}" for before, word in pairs if word in WISHES]


def _wanted(problem: Problem) -> tuple[str, str] | None:
    """The action and the item, where they are known."""
    answer = problem.answer if isinstance(problem.answer, Mapping) else {}
    action, item = answer.get("action"), answer.get("item")
    return (action, item) if action in WISHES and item in ITEMS else None


TYPE = SupportReplies()
