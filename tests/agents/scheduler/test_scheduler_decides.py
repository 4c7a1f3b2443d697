"""The scheduler alone: which slots fire under which policy, and what is published with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from agents.scheduler.decide import SCHEDULER
from agents.scheduler.due import due, wakes
from agents.scheduler.state import INITIAL
from events.catalog.agents import AgentPaused, AgentResumed
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed, DeadlineSet
from events.catalog.policies import PolicyAdopted, SchedulerPolicy
from events.catalog.schedules import (
    ScheduleDefined,
    SchedulePaused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleTicked,
    SlotsDue,
    SlotsSkipped,
)
from events.message import Event
from tests.agents.spec import BEGIN, History, given, kinds

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
TRAINING = {
    "type": "TrainingRequested",
    "data": {"role": "support", "pipeline": "dpo", "base": "tiny"},
}


def every_second(**more: Any) -> ScheduleDefined:
    return ScheduleDefined.model_validate({"schedule": "often", "every": "1s", **more})


def said(history: History, now: datetime, awake: datetime = BEGIN) -> list[Event]:
    return [one.event for one in due(history.state, now, awake)]


def fired(history: History, now: datetime, awake: datetime = BEGIN) -> list[Event]:
    """What follows when the clock looks."""
    answer: list[Event] = []
    for event in said(history, now, awake):
        answer += history.tell(event)
    return answer


def ticks(decisions: list[Event]) -> list[datetime]:
    return [event.scheduled_for for event in decisions if isinstance(event, ScheduleTicked)]


def test_a_slot_fires_when_it_falls_due_and_not_again() -> None:
    history = given(SCHEDULER, every_second())
    begin = history.now()
    assert said(history, begin + 0.9 * SECOND) == []
    assert ticks(fired(history, begin + 1.01 * SECOND)) == [begin + SECOND]
    assert fired(history, begin + 1.5 * SECOND) == []
    assert ticks(fired(history, begin + 2.01 * SECOND)) == [begin + 2 * SECOND]


def test_a_tick_and_what_it_publishes_are_one_answer() -> None:
    history = given(SCHEDULER, every_second(publish=TRAINING))
    decisions = fired(history, history.now() + SECOND)
    assert kinds(decisions) == ["ScheduleTicked", "TrainingRequested"]


@pytest.mark.parametrize(
    ("misfire", "fire", "skipped"), [("skip", 0, 10), ("latest", 1, 9), ("all", 10, 0)]
)
def test_missed_slots_are_treated_as_the_policy_says(misfire: str, fire: int, skipped: int) -> None:
    history = given(SCHEDULER, every_second(misfire=misfire))
    now = history.now() + 10.5 * SECOND
    decisions = fired(history, now, awake=now)
    assert len(ticks(decisions)) == fire
    assert sum(one.count for one in decisions if isinstance(one, SlotsSkipped)) == skipped
    assert all(one.late for one in decisions if isinstance(one, ScheduleTicked))


def test_a_policy_bounds_what_is_made_up_for() -> None:
    bounded = PolicyAdopted(policy=SchedulerPolicy(max_catch_up=3))
    history = given(SCHEDULER, bounded, every_second(misfire="all"))
    now = history.now() + 10.5 * SECOND
    decisions = fired(history, now, awake=now)
    assert len(ticks(decisions)) == 3
    assert sum(one.count for one in decisions if isinstance(one, SlotsSkipped)) == 7


def test_under_skip_a_slot_fires_if_the_clock_was_awake() -> None:
    history = given(SCHEDULER, every_second(misfire="skip"))
    now = history.now() + 3.2 * SECOND
    assert ticks(fired(history, now, awake=BEGIN)) == [history.now() - MINUTE + 3 * SECOND]


def test_a_paused_schedule_owes_nothing_when_it_resumes() -> None:
    history = given(SCHEDULER, every_second(), SchedulePaused(schedule="often"))
    assert said(history, history.now() + MINUTE) == []
    history.tell(ScheduleResumed(schedule="often"))
    assert ticks(fired(history, history.now() + 1.5 * SECOND)) == [history.now() - MINUTE + SECOND]


def test_a_removed_schedule_is_silent() -> None:
    history = given(SCHEDULER, every_second(), ScheduleRemoved(schedule="often"))
    assert said(history, history.now() + MINUTE) == []
    assert wakes(history.state) is None


def test_slots_that_were_seen_before_a_change_do_not_fire_after_it() -> None:
    history = given(SCHEDULER, every_second())
    (seen,) = said(history, history.now() + 2 * SECOND)
    history.tell(SchedulePaused(schedule="often"))
    assert not history.tell(seen)
    history.tell(ScheduleResumed(schedule="often"))
    assert not history.tell(seen)


def test_two_clocks_give_the_same_slots_the_same_id() -> None:
    history = given(SCHEDULER, every_second())
    ids = {
        one.event_id
        for later in (1, 2, 3)
        for one in due(history.state, history.now() + later * SECOND, BEGIN)
    }
    assert len(ids) == 1


def test_a_paused_scheduler_sees_no_slots_and_catches_up_by_the_policy() -> None:
    history = given(SCHEDULER, every_second(misfire="skip"), AgentPaused(agent="scheduler"))
    assert said(history, history.now() + MINUTE) == []
    assert wakes(history.state) is None
    history.tell(AgentResumed(agent="scheduler"))
    resumed = history.now()
    decisions = fired(history, resumed + 0.5 * SECOND)
    assert isinstance(decisions[0], SlotsSkipped)
    assert decisions[0].count == 120 - 1
    assert ticks(decisions) == [resumed]


def test_a_clock_that_was_set_back_fires_nothing_twice() -> None:
    history = given(SCHEDULER, every_second())
    begin = history.now()
    fired(history, begin + 5 * SECOND)
    assert fired(history, begin + 2 * SECOND) == []
    assert ticks(fired(history, begin + 6 * SECOND)) == [begin + 6 * SECOND]


def test_a_deadline_passes_once_unless_it_is_lifted_or_set_anew() -> None:
    history = given(SCHEDULER)
    at = history.now() + 10 * MINUTE
    history.tell(DeadlineSet(key="run/a", due=at))
    history.tell(DeadlineSet(key="run/b", due=at))
    history.tell(DeadlineSet(key="run/b", due=at + MINUTE))
    history.tell(DeadlineSet(key="run/c", due=at))
    history.tell(DeadlineLifted(key="run/c"))
    assert wakes(history.state) == at
    (passed,) = said(history, at)
    assert passed == DeadlinePassed(key="run/a", due=at)
    history.tell(passed)
    assert said(history, at) == []


def test_a_nightly_schedule_keeps_local_time_over_the_end_of_summer_time() -> None:
    nightly = ScheduleDefined(schedule="nightly", cron="0 3 * * *", zone="Europe/Berlin")
    timing = nightly.timing(BEGIN)
    history = given(SCHEDULER, nightly)
    (seen,) = said(history, datetime.fromisoformat("2027-03-29T04:00:00Z"))
    assert isinstance(seen, SlotsDue)
    assert seen.slots[-1] == datetime.fromisoformat("2027-03-29T01:00:00Z")
    assert seen.slots[-3] == datetime.fromisoformat("2027-03-27T02:00:00Z")
    assert timing


def test_an_unchanged_state_is_the_same_state() -> None:
    assert given(SCHEDULER).state == INITIAL
