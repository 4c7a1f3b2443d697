"""SRL: learn an expert's steps one by one, by reinforcement on how near each action comes.

A problem that an expert solved in N steps gives an instance for each step: the problem with the
expert's steps so far, and the next one to be written, free thinking first, then the action. Only
the action is compared, by the likeness of the two texts; form is a reward of its own, because a
penalty within the likeness would lift wrong actions above the average. The last step has to end the
text too, else a model that learns steps forgets how to end. Groups that say nothing are drawn
anew. `supervised` imitates the same steps instead, each weighed by its reward.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from trainers import sft
from trainers.closing import closed
from trainers.engine import Completion
from trainers.groups import Task
from trainers.grpo import comparing, learn, rules
from trainers.model_types.steps import END, instances, parsed, similarity
from trainers.outcome import Outcome
from trainers.policy import Policy
from trainers.run import Run


def train(run: Run) -> Outcome:
    """Step by step, or supervised."""
    settings, policy = run.settings, Policy(run)
    steps = [one for row in run.rows() for one in instances(row)]
    if settings.mode == "supervised":
        sft.learn(run, policy, [_written(one, settings.step_weights) for one in steps])
    else:
        tasks = [Task(one["prompt"], one, None if one["last"] else END) for one in steps]
        how = comparing(
            settings,
            weights={"format": settings.format_weight, "similarity": settings.similarity_weight},
            least_spread=max(settings.least_spread, 1e-4),
            resample=settings.resample,
        )
        score = partial(likeness, weighed=settings.step_weights)
        learn(run, policy, tasks, score, how, rules(settings), controller(settings))
    return closed(run, policy)


def likeness(
    task: Task, completions: Sequence[Completion], weighed: bool = False
) -> dict[str, list[float | None]]:
    """Form by itself; and of what has the form, how like the expert's its action is."""
    share = float(task.row["weight"]) if weighed else 1.0
    form: list[float | None] = []
    similar: list[float | None] = []
    for completion in completions:
        action = parsed(completion.text) if completion.finished else None
        form.append(0.0 if action is None else 1.0)
        similar.append(None if action is None else share * similarity(action, task.row["action"]))
    return {"format": form, "similarity": similar}


def controller(settings: Any) -> Any:
    """Moves beta so that the measured KL comes to its target; a tenth of the way at most."""
    if settings.kl_controller == "fixed":
        return None

    def moved(beta: float, kl: float) -> float:
        error = min(max(kl / settings.kl_target - 1, -0.2), 0.2)
        return float(max(1e-4, beta * (1 + 0.5 * error)))

    return moved


def _written(step: dict[str, Any], weighed: bool) -> dict[str, Any]:
    weight = step["weight"] if weighed else 1.0
    return {
        "prompt": step["prompt"],
        "completion": step["completion"],
        "weight": weight,
        "ends": step["last"],
    }
