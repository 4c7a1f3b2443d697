"""What can be said of a planned solution without any model: its form, its rewards, its truth.

These checks come before the verifier, and no model's word can lift what they refuse.
"""

from __future__ import annotations

from typing import NamedTuple

from agents.data_generator.collaboration.answers import PlannedTrajectory
from events.errors import RatchetError
from guardrails.orders import order_in
from guardrails.scanning import unfit
from trainers.model_types.kind import ModelType, Problem, Step, Trajectory
from trainers.model_types.steps import final, written

STEPS = 64
LONGEST = {"title": 200, "reasoning": 4_000, "action": 8_000}
"""Characters of each part of a step."""
OUTCOME = 8_000
OFF = 0.02
"""How far the rewards of the steps may sum beside 1; beyond it nobody knows what was meant."""
STEPWISE = ("arithmetic_reasoning", "sentiment_analysis", "content_moderation")
"""Types in whose language each problem has one right sequence of actions: there a wrong step is
found even where the end is right."""


class Checked(NamedTuple):
    """A planned solution and what is wrong with it."""

    trajectory: Trajectory | None
    """With rewards that sum to exactly 1; None where it is not even a trajectory."""
    completion: str = ""
    reward: float = 0.0
    """What the type's own verifier gives for it."""
    reason: str = ""
    """The kind of what is wrong, empty where nothing is."""
    issues: tuple[str, ...] = ()


def checked(kind: ModelType, problem: Problem, planned: PlannedTrajectory) -> Checked:
    """Whether it has the form of a solution, and the type's own verifier calls it right."""
    wrong = _malformed(planned)
    if wrong:
        return Checked(None, reason="malformed", issues=tuple(wrong))
    rewards = [step.reward for step in planned.steps]
    if min(rewards) < 0 or abs(sum(rewards) - 1) > OFF:
        what = f"the rewards of the steps sum to {sum(rewards):.3g}, none below 0; right is 1"
        return Checked(None, reason="rewards", issues=(what,))
    shares = summing_to_one(rewards)
    steps = tuple(
        Step(one.title, one.reasoning, one.action, share)
        for one, share in zip(planned.steps, shares, strict=True)
    )
    found = Trajectory(problem.id, problem.prompt, steps, planned.expected_outcome.strip())
    try:
        return _verified(kind, problem, found)
    except RatchetError:  # no sandbox, for instance: nothing can be verified here
        raise
    except Exception as error:  # of a type of somebody's own
        what = f"the type cannot read it ({type(error).__name__}: {str(error)[:200]})"
        return Checked(found, reason="malformed", issues=(what,))


def improper(problem: Problem, planned: PlannedTrajectory) -> Checked | None:
    """What no model may learn, however right the solution is; None where it is fit to be learned.

    What the problem itself holds may be said again; what is malformed anyhow is not looked at.
    """
    if _malformed(planned):
        return None
    known = f"{problem.prompt}\n{problem.answer}"
    told = [
        (f"step {place}", text)
        for place, step in enumerate(planned.steps, 1)
        for text in (step.title, step.reasoning, step.action)
    ]
    told.append(("the expected outcome", planned.expected_outcome))
    if unfit("\n\n".join(text for _, text in told), known) is None:  # ten times as fast
        return None
    for place, text in told:
        if wrong := unfit(text, known):
            what = f"{place} holds {wrong.what}, which is not in the problem"
            return Checked(None, reason=wrong.reason, issues=(what,))
    return None


def summing_to_one(rewards: list[float]) -> list[float]:
    """The same shares; added from left to right they are 1."""
    if sum(rewards) == 1:
        return rewards
    before = [one / sum(rewards) if abs(sum(rewards) - 1) > 1e-9 else one for one in rewards[:-1]]
    return [*before, max(0.0, 1 - sum(before))]


def _verified(kind: ModelType, problem: Problem, found: Trajectory) -> Checked:
    text = "".join(written(step) for step in found.steps)
    completion = kind.completion(found)
    verdict = kind.verify(problem, completion)
    if not verdict.correct:
        issues = verdict.reasons or ("the answer is wrong",)
        return Checked(found, completion, verdict.reward, "wrong", issues)
    if completion != text and not _steps_hold(kind, problem, text):
        what = "the outcome is right, the steps do not lead to it"
        return Checked(found, completion, verdict.reward, "steps", (what,))
    said = final(text)
    if said is not None and said != found.outcome:
        what = f"the steps end with {said[:100]!r}, the expected outcome is another"
        return Checked(found, completion, verdict.reward, "steps", (what,))
    issues = tuple(_wrong_steps(kind, problem, found))
    if issues:
        return Checked(found, completion, verdict.reward, "steps", issues)
    order = _order(problem, found)
    if order:
        what = f"it gives an order, which is not in the problem: {order[:60]!r}"
        return Checked(found, completion, verdict.reward, "order", (what,))
    return Checked(found, completion, verdict.reward)


def _order(problem: Problem, found: Trajectory) -> str:
    """What a verifier might obey instead of judging, and a small model would learn to say."""
    told = [text for step in found.steps for text in (step.title, step.reasoning, step.action)]
    return order_in("\n".join([*told, found.outcome]), f"{problem.prompt}\n{problem.answer}")


def _steps_hold(kind: ModelType, problem: Problem, text: str) -> bool:
    """Of a type that reads steps and answers alike, the steps have to be right as well."""
    try:
        own = kind.solve(problem)
    except ValueError:
        return True
    reads_steps = kind.verify(problem, "".join(written(step) for step in own.steps)).correct
    return not reads_steps or kind.verify(problem, text).correct


def _wrong_steps(kind: ModelType, problem: Problem, found: Trajectory) -> list[str]:
    if kind.name not in STEPWISE:
        return []
    try:
        right = [step.action for step in kind.solve(problem).steps]
    except ValueError:  # not in the type's own language: only the answer can be judged
        return []
    said = [step.action for step in found.steps]
    if len(said) != len(right):
        return [f"it has {len(said)} steps, right are {len(right)}"]
    return [
        f"step {place}: {one[:100]!r} is not {other[:100]!r}"
        for place, (one, other) in enumerate(zip(said, right, strict=True), 1)
        if one != other
    ]


def _malformed(planned: PlannedTrajectory) -> list[str]:
    if not 1 <= len(planned.steps) <= STEPS:
        return [f"it has {len(planned.steps)} steps; right are 1 to {STEPS}"]
    wrong = [
        f"the {part} of step {place} has {len(getattr(step, part)):,} characters, at most are "
        f"{longest:,}"
        for place, step in enumerate(planned.steps, 1)
        for part, longest in LONGEST.items()
        if len(getattr(step, part)) > longest
    ]
    wrong += [
        f"step {place} has no action"
        for place, step in enumerate(planned.steps, 1)
        if not step.action.strip()
    ]
    if not 1 <= len(planned.expected_outcome.strip()) <= OUTCOME:
        wrong.append(f"the expected outcome has no text, or more than {OUTCOME:,} characters")
    return wrong
