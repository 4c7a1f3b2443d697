"""People in a run: they compare the new model's answers with its baseline's, in a queue.

They are asked only where everything else holds, and by a deadline. How their silence is taken is
the policy's: `ask` lets the run go on with a waiver, also where they are of two minds; `demand`
does not.
"""

from __future__ import annotations

from datetime import timedelta

from agents.trainer.run import Run
from agents.trainer.state import State
from events.catalog.changes import Change
from events.catalog.deadlines import DeadlineSet
from events.catalog.gates import Checked
from events.catalog.reviews import ReviewOpened
from events.catalog.training import Artifact, Measured
from events.fact import Fact
from events.message import Event
from pipelines.catalog import PIPELINES
from pipelines.evidence.intervals import bounded
from pipelines.gates import at_least, judged

PEOPLE = "people"
REVIEW = "review"
HALF = at_least(PEOPLE, 0.5)
"""At least as many prefer the new one as the old one."""


def wanted(state: State, run: Run, stage: str) -> tuple[Change, ...]:
    """What tells the worker of a stage for how many items people are asked, where they are."""
    one = PIPELINES[run.pipeline].stage(stage)
    if not one.people or state.policy.people == "skip":
        return ()
    many = float(state.policy.people_items)
    return (Change(stage=stage, setting=PEOPLE, how="set", by=many),)


def queue(state: State, run: Run) -> Artifact | None:
    """What people are to be asked behind the present stage, where they are and nobody was yet."""
    stage = PIPELINES[run.pipeline].stage(run.stage)
    if not stage.people or state.policy.people == "skip" or run.review or not run.key:
        return None
    return next((one for one in run.made if one.kind == REVIEW), None)


def opened(state: State, run: Run, items: Artifact, told: Fact) -> tuple[Event, ...]:
    """The queue, and until when it is waited for."""
    name = f"{run.id}-{run.stage}-{run.attempt}"
    asked = ReviewOpened(review=name, role=run.role, items=items, count=len(run.key))
    return (asked, waited(state, run, told))


def waited(state: State, run: Run, told: Fact) -> DeadlineSet:
    """Until when people are waited for, counted from now."""
    due = told.time + timedelta(hours=state.policy.people_hours)
    return DeadlineSet(key=f"run/{run.id}", due=due if run.due is None else min(due, run.due))


def share(run: Run) -> Measured:
    """How many prefer the new one; that none is better is half a word, and unfit is none."""
    words = [
        0.5 if choice == "same" else float(choice == run.key[item - 1])
        for item, choice in sorted(run.answers.items())
        if choice != "unfit"
    ]
    return bounded(words)


def heard(state: State, run: Run) -> tuple[Checked, ...]:
    """What people said, beside its bound; nothing where nobody is asked."""
    stage = PIPELINES[run.pipeline].stage(run.stage)
    if not stage.people or state.policy.people == "skip":
        return ()
    asks = state.policy.people == "ask"
    waived = (*state.policy.waived, *((PEOPLE,) if asks else ()))
    (one,) = judged((HALF,), {PEOPLE: share(run)}, state.policy.bounds, waived)
    if asks and (one.verdict == "inconclusive" or one.value is None):
        return (one.model_copy(update={"verdict": "waived"}),)
    return (one,)
