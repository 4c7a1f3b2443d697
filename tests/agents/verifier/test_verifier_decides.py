"""The verifier's decisions: who is measured, what is believed, what is withdrawn."""

from __future__ import annotations

from datetime import timedelta

from events.catalog.deadlines import DeadlinePassed, DeadlineSet
from events.catalog.examinations import ExaminationRequested
from events.catalog.policies import PolicyAdopted, VerifierPolicy
from events.catalog.verification import (
    CandidateWithdrawn,
    RegressionDetected,
    VerificationFailed,
    VerificationJudged,
    VerificationRefused,
    VerificationRequested,
    WeaknessDetected,
)
from tests.agents.spec import History, kinds
from tests.agents.verifier.looks import (
    BASE,
    ROWS,
    SAME,
    UNCLEAR,
    WORSE,
    artifact,
    asked,
    candidate,
    cells,
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


def test_a_candidate_is_verified_beside_the_base_of_its_run() -> None:
    request = asked(history().tell(candidate(1, BASE, ROWS)))
    assert (request.model, request.baseline) == (artifact(1), BASE)
    assert request.suites == ("fixed", "fresh")
    assert request.model_type == "arithmetic_reasoning"


def test_the_next_candidate_is_compared_with_the_one_that_stands() -> None:
    request = asked(stood().tell(candidate(2, BASE)))
    assert request.baseline == artifact(1)


def test_what_is_no_worse_holds_and_is_looked_at_again_a_week_later() -> None:
    told = history()
    request = asked(told.tell(candidate(1, BASE)))
    decisions = told.tell(verified(request, measured("fixed", SAME)))
    assert kinds(decisions) == ["VerificationJudged", "DeadlineLifted", "DeadlineSet"]
    assert the(decisions, VerificationJudged).verdict == "holds"
    due = the(decisions, DeadlineSet).due
    assert due == told.now() + timedelta(hours=168)
    again = told.tell(DeadlinePassed(key="verifier/sums", due=due))
    assert asked(again).before == artifact(0xF1, "items.fixed")  # beside itself, as it was


def test_what_is_surely_worse_is_withdrawn_and_the_one_before_it_stands_again() -> None:
    told = stood()
    request = asked(told.tell(candidate(2)))
    decisions = told.tell(verified(request, measured("fresh", WORSE)))
    judged, regression = (the(decisions, kind) for kind in (VerificationJudged, RegressionDetected))
    assert (judged.verdict, judged.evidence >= judged.needed > 0) == ("worse", True)
    assert regression.baseline == artifact(1)
    assert "below 0.95" in regression.reason
    assert regression.checks[0].high < 0.95
    withdrawn = the(decisions, CandidateWithdrawn)
    assert (withdrawn.model, withdrawn.stands) == (artifact(2), artifact(1))
    assert asked(told.tell(ON_DEMAND)).model == artifact(1)


def test_a_first_candidate_that_is_worse_than_its_base_leaves_nothing_standing() -> None:
    told = history()
    request = asked(told.tell(candidate(1, BASE)))
    decisions = told.tell(verified(request, measured("fresh", WORSE)))
    assert the(decisions, CandidateWithdrawn).stands is None
    assert the(told.tell(ON_DEMAND), VerificationRefused).reason == (
        "role 'sums' has no registered candidate"
    )


def test_where_nobody_can_tell_more_fresh_problems_are_asked_and_then_it_is_left() -> None:
    told = history()
    request = asked(told.tell(candidate(1, BASE)))
    items = [request.items]
    for _ in range(2):
        request = asked(told.tell(verified(request, measured("fresh", UNCLEAR))))
        assert (request.suites, request.verification) == (("fresh",), request.verification)
        items.append(request.items)
    assert items == [120, 240, 480]
    last = told.tell(verified(request, measured("fresh", cells((1, 1, 1)))))
    assert the(last, VerificationJudged).verdict == "unclear"
    assert not [one for one in last if isinstance(one, CandidateWithdrawn)]


def test_what_takes_little_time_is_asked_more_often_where_nobody_can_tell() -> None:
    def asked_items(seconds: float, policy: VerifierPolicy) -> list[int]:
        told = history(PolicyAdopted(policy=policy))
        said, items = told.tell(candidate(1, BASE)), list[int]()
        while any(isinstance(one, ExaminationRequested) for one in said):
            request = asked(said)
            items.append(request.items)
            found = verified(request, measured("fresh", UNCLEAR), n=2 * request.items)
            many = seconds * request.items
            said = told.tell(found.model_copy(update={"seconds": many}))
        assert the(said, VerificationJudged).verdict == "unclear"
        return items

    rounds = [120, 240, 480]
    assert asked_items(0.02, VerifierPolicy()) == [*rounds, 960, 1920]  # 76.8 s would be too long
    assert asked_items(0.001, VerifierPolicy()) == [*rounds, 960, 1920, 3840]
    assert asked_items(1.0, VerifierPolicy()) == rounds
    assert asked_items(0.001, VerifierPolicy(cheap_seconds=0.0)) == rounds


def test_evidence_of_several_looks_adds_up() -> None:
    little = cells((1, 1, 40), (0, 1, 12), (0, 0, 20))
    told = history()
    request = asked(told.tell(candidate(1, BASE)))
    request = asked(told.tell(verified(request, measured("fresh", little))))
    decisions = told.tell(verified(request, measured("fresh", little)))
    assert the(decisions, VerificationJudged).verdict == "worse"


def test_the_fixed_suite_is_counted_once_for_a_pair_of_models() -> None:
    told = stood()
    before = told.state.standing["sums"].candidates[0].own
    request = asked(told.tell(ON_DEMAND))
    told.tell(verified(request, measured("fixed", SAME, "itself")))
    assert told.state.standing["sums"].candidates[0].own == before


def test_a_model_that_is_not_what_it_was_is_told_and_not_withdrawn() -> None:
    told = stood()
    request = asked(told.tell(ON_DEMAND))
    lost = cells((1, 1, 20), (0, 1, 60), (0, 0, 40))
    decisions = told.tell(verified(request, measured("fixed", lost, "itself")))
    regression = the(decisions, RegressionDetected)
    assert (regression.since, regression.baseline) == (True, artifact(1))
    assert "CandidateWithdrawn" not in kinds(decisions)
    assert told.state.standing["sums"].found == 0  # of claims about candidates


def test_each_look_at_the_same_items_needs_more_evidence_than_the_one_before() -> None:
    borderline = cells((1, 1, 60), (0, 1, 16), (0, 0, 10))
    verdicts = []
    told = stood()
    for _ in range(6):
        request = asked(told.tell(ON_DEMAND))
        decisions = told.tell(verified(request, measured("fixed", borderline, "itself")))
        verdicts.append("RegressionDetected" in kinds(decisions))
    assert verdicts[0]
    assert not verdicts[-1]


def test_later_claims_need_more_evidence_and_found_ones_make_it_less() -> None:
    told = history()
    needed = []
    for digit, seen in ((1, SAME), (2, SAME), (3, WORSE), (4, SAME)):
        request = asked(told.tell(candidate(digit, BASE)))
        decisions = told.tell(verified(request, measured("fresh", seen)))
        needed.append(round(the(decisions, VerificationJudged).needed))
    assert needed == [40, 120, 240, 200]  # t (t + 1) / 0.05, by the claims that were found


def test_several_comparisons_share_the_claim() -> None:
    told = history()
    request = asked(told.tell(candidate(1, BASE)))
    decisions = told.tell(verified(request, measured("fresh", SAME), measured("task.sums", WORSE)))
    judged = the(decisions, VerificationJudged)
    assert judged.needed == 80
    assert [one.metric for one in judged.checks] == ["retention", "retention.sums"]
    assert judged.verdict == "worse"


def test_areas_that_fail_more_often_are_told_in_the_words_of_a_request_for_data() -> None:
    told = history()
    request = asked(told.tell(candidate(1, BASE)))
    areas = [("sums with two carries", 40, 50), ("sums with no carry", 10, 60)]
    outcome = verified(request, measured("fresh", SAME), areas=areas, wrong=50, n=120)
    weakness = the(told.tell(outcome), WeaknessDetected)
    assert weakness.focus == ("sums with two carries",)
    assert weakness.areas[0].failures.low > weakness.areas[0].elsewhere.high
    request = asked(told.tell(ON_DEMAND))
    again = told.tell(verified(request, measured("fresh", SAME), areas=areas, wrong=50, n=120))
    assert "WeaknessDetected" not in kinds(again)  # it was told already


def test_a_candidate_that_comes_meanwhile_is_verified_behind_the_one_under_way() -> None:
    told = history()
    request = asked(told.tell(candidate(1, BASE)))
    assert told.tell(candidate(2, BASE)) == ()
    decisions = told.tell(verified(request, measured("fresh", SAME)))
    assert asked(decisions).model == artifact(2)
    assert asked(decisions).baseline == artifact(1)


def test_behind_a_withdrawn_candidate_the_next_is_compared_with_what_stands() -> None:
    told = stood()
    request = asked(told.tell(candidate(2)))
    told.tell(candidate(3))
    decisions = told.tell(verified(request, measured("fresh", WORSE)))
    assert the(decisions, CandidateWithdrawn).stands == artifact(3)
    assert asked(decisions).baseline == artifact(1)


def test_what_cannot_be_measured_is_tried_again_and_then_given_up() -> None:
    told = history()
    request = asked(told.tell(candidate(1, BASE)))
    for attempt in (2, 3):
        failed = VerificationFailed(
            verification=request.verification, attempt=request.attempt, role="sums", reason="lost"
        )
        request = asked(told.tell(failed))
        assert request.attempt == attempt
    last = failed.model_copy(update={"attempt": 3})
    decisions = told.tell(last)
    assert the(decisions, VerificationRefused).reason == ("measuring failed 3 times, at last: lost")
    assert kinds(decisions) == ["VerificationRefused", "DeadlineLifted", "DeadlineSet"]
    assert told.state.standing["sums"].candidates  # it stays what it is
    assert told.tell(last) == ()


def test_what_no_other_try_can_mend_is_given_up_at_once() -> None:
    told = history()
    request = asked(told.tell(candidate(1, BASE)))
    decisions = told.tell(
        VerificationFailed(
            verification=request.verification, attempt=1, role="sums", reason="no", retryable=False
        )
    )
    assert "once" in the(decisions, VerificationRefused).reason


def test_what_nobody_measures_is_withdrawn_and_asked_for_again() -> None:
    told = history()
    decisions = told.tell(candidate(1, BASE))
    due = the(decisions, DeadlineSet)
    late = told.tell(DeadlinePassed(key=due.key, due=due.due))
    assert kinds(late) == ["ExaminationWithdrawn", "ExaminationRequested", "DeadlineSet"]
    assert told.tell(DeadlinePassed(key=due.key, due=due.due)) == ()  # that of the first try
    stale = asked(decisions)
    assert told.tell(verified(stale, measured("fresh", WORSE))) == ()  # came too late
