"""What the verifier refuses, what it does without, and what it remembers."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from agents.verifier import VERIFIER
from agents.verifier.state import REMEMBERED
from events.catalog.examinations import ExaminationWithdrawn
from events.catalog.policies import PolicyAdopted, VerifierPolicy
from events.catalog.roles import RoleRetired
from events.catalog.schedules import ScheduleDefined
from events.catalog.verification import (
    RegressionDetected,
    VerificationJudged,
    VerificationRefused,
    VerificationRequested,
)
from tests.agents.spec import History, kinds
from tests.agents.verifier.looks import (
    BASE,
    ROLE,
    ROWS,
    SAME,
    artifact,
    asked,
    candidate,
    history,
    measured,
    the,
    verified,
)

ON_DEMAND = VerificationRequested(role="sums")


def stood(*events: object) -> History:
    """One candidate that was verified and stands."""
    told = history(*events)  # type: ignore[arg-type]
    request = asked(told.tell(candidate(1, BASE)))
    told.tell(verified(request, measured("fixed", SAME), measured("fresh", SAME)))
    return told


def test_requests_that_make_no_sense_are_refused_with_what_would() -> None:
    told = stood()

    def reason(**given: object) -> str:
        request = VerificationRequested.model_validate({"role": "sums", **given})
        return str(the(told.tell(request), VerificationRefused).reason)

    assert reason(role="sum") == "no role is named 'sum', did you mean 'sums'?"
    assert reason(run="run9") == (
        "run9 is no candidate of role 'sums'; there are those of runs run1"
    )
    assert "fixed, fresh, examples" in reason(suites=("fixd",))
    assert "name the examples" in reason(suites=("examples",))
    told.tell(ON_DEMAND)
    assert "still under way" in reason()


def test_examples_of_experts_can_be_checked_without_any_model() -> None:
    told = history()
    wanted = VerificationRequested(role="sums", suites=("examples",), examples=ROWS)
    request = asked(told.tell(wanted))
    assert (request.model, request.examples) == (None, ROWS)
    decisions = told.tell(verified(request))
    assert the(decisions, VerificationJudged).verdict == "measured"


def test_what_it_was_trained_on_is_the_file_of_examples_where_none_is_named() -> None:
    told = history()
    request = asked(told.tell(candidate(1, BASE, ROWS)))
    told.tell(verified(request, measured("fresh", SAME)))
    wanted = VerificationRequested(role="sums", suites=("examples", "fresh"))
    assert asked(told.tell(wanted)).examples == ROWS


def test_nothing_is_asked_without_a_role_or_where_the_policy_waits_to_be_asked() -> None:
    told = history(PolicyAdopted(policy=VerifierPolicy(on_registration=False, every_hours=None)))
    assert told.tell(candidate(1, BASE)) == ()
    request = asked(told.tell(ON_DEMAND))
    ended = told.tell(verified(request, measured("fresh", SAME)))
    assert "DeadlineSet" not in kinds(ended)
    told.tell(RoleRetired(role="sums", reason="done"))
    assert told.tell(candidate(2, BASE)) == ()


def test_a_role_that_is_retired_takes_its_open_examination_back() -> None:
    told = stood()
    request = asked(told.tell(candidate(2, BASE)))
    ended = told.tell(RoleRetired(role="sums", reason="done"))
    assert kinds(ended) == ["ExaminationWithdrawn", "VerificationRefused", "DeadlineLifted"]
    back, refused = the(ended, ExaminationWithdrawn), the(ended, VerificationRefused)
    assert back.verification == refused.verification == request.verification
    assert refused.reason == "role 'sums' was retired"
    assert told.state.standing == {}
    assert told.tell(verified(request, measured("fresh", SAME))) == ()  # it came too late
    told.tell(ROLE)
    assert "no registered candidate" in the(told.tell(ON_DEMAND), VerificationRefused).reason


def test_so_does_one_that_asks_for_something_else_now_and_nothing_else_does() -> None:
    told = stood()
    asked(told.tell(candidate(2, BASE)))
    assert told.tell(ROLE) == ()  # defined once more, as it is
    profile = ROLE.profile.model_copy(update={"model_type": "support_replies"})
    ended = told.tell(ROLE.model_copy(update={"profile": profile}))
    assert kinds(ended) == ["ExaminationWithdrawn", "VerificationRefused", "DeadlineLifted"]
    assert "another type" in the(ended, VerificationRefused).reason
    assert told.state.standing["sums"].open is None
    assert told.tell(RoleRetired(role="sums", reason="done")) == ()


@pytest.mark.parametrize(
    ("wrong", "n", "areas"),
    [
        (100, 5, [("a", 1, 2)]),
        (5, 100, [("a", 50, 10), ("b", 0, 99)]),
        (10**9, 2**52, [("a", 1, 2**51)]),
    ],
)
def test_counts_that_contradict_each_other_stop_nobody(
    wrong: int, n: int, areas: list[tuple[str, int, int]]
) -> None:
    told = history()
    request = asked(told.tell(candidate(1, BASE)))
    answer = verified(request, measured("fresh", SAME), areas=areas, wrong=wrong, n=n)
    decisions = told.tell(answer)
    assert the(decisions, VerificationJudged).verdict == "holds"
    assert "WeaknessDetected" not in kinds(decisions)


def test_only_the_newest_candidates_are_remembered() -> None:
    told = history(PolicyAdopted(policy=VerifierPolicy(on_registration=False)))
    for digit in range(1, REMEMBERED + 5):
        told.tell(candidate(digit, BASE))
    known = told.state.standing["sums"].candidates
    assert len(known) == REMEMBERED
    assert known[-1].model == artifact(REMEMBERED + 4)


def test_its_state_comes_back_from_a_snapshot_and_another_policy_can_be_asked() -> None:
    told = stood()
    states = TypeAdapter(type(VERIFIER.initial))
    assert states.validate_json(states.dump_json(told.state)) == told.state
    assert VERIFIER.under is not None
    strict = VERIFIER.under(told.state, VerifierPolicy(retention=1.0))
    assert strict.policy.retention == 1.0


def test_what_a_run_says_of_itself_is_not_counted_among_the_verifiers_own_claims() -> None:
    told = stood()
    assert told.tell(RegressionDetected(role="sums", run="run7", reason="it lost too much")) == ()
    assert told.state.standing["sums"].found == 0


def test_a_schedule_can_ask_and_a_role_of_another_type_begins_anew() -> None:
    hourly = ScheduleDefined.model_validate(
        {
            "schedule": "hourly", "every": "1h",
            "publish": {"type": "VerificationRequested", "data": {"role": "sums"}},
        }
    )  # fmt: skip
    assert hourly.publish is not None
    told = stood()
    wanted = VerificationRequested.model_validate(hourly.publish.data)
    assert asked(told.tell(wanted)).model == artifact(1)
    profile = ROLE.profile.model_copy(update={"model_type": "support_replies"})
    told.tell(ROLE.model_copy(update={"profile": profile}))
    assert "no registered candidate" in the(told.tell(wanted), VerificationRefused).reason


def test_who_waits_for_a_verdict_hears_no_where_the_model_is_worse() -> None:
    worse = VerificationJudged(verification="1", role="sums", verdict="worse")
    holds = VerificationJudged(verification="1", role="sums", verdict="holds")
    assert (worse.says_no, holds.says_no) == (True, False)
    assert VerificationRefused(role="sums", reason="there is none").says_no
