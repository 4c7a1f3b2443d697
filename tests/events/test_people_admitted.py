"""Given these keys and this log, when somebody speaks or is forgotten, then this is planned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from events.admission import Ledger, Plan, admit
from events.catalog.people import FeedbackReceived, SubjectForgotten
from events.chain import GENESIS
from events.envelope import Draft, Envelope, draft
from events.errors import IdTaken, LogDamaged
from events.ids import derived_id
from events.keyring import Keyring, SubjectKey
from events.needs import needs
from events.sealing import SECRET, sealed
from events.store import Append
from tests.events.messages import Noted


def key(number: int) -> SubjectKey:
    return SubjectKey(f"key {number}", bytes([number]) * SECRET)


def offered() -> Iterator[SubjectKey]:
    number = 100
    while True:
        yield key(number)
        number += 1


def ring(**known: SubjectKey) -> Keyring:
    new = offered()
    return Keyring(dict(known), {one.key_id: one for one in known.values()}, fresh=new.__next__)


def planned(
    keys: Keyring | None, *drafts: Sequence[Draft], existing: Sequence[Envelope] = ()
) -> Plan:
    """One append for each list of drafts, in a log that ends before them."""
    log = {one.event_id: one for one in existing}
    ledger = Ledger(len(log), GENESIS, "", {}, log, {}, {}, keys)
    return admit([Append(tuple(some)) for some in drafts], ledger, "now", 0.0)


def said(subject: str = "ann", comment: str = "so", number: int = 1) -> Draft:
    event = FeedbackReceived(subject=subject, role="r", rating=1, comment=comment)
    return draft(event, derived_id("said", number))


def gone(subject: str = "ann", number: int = 1) -> Draft:
    return draft(SubjectForgotten(subject=subject), derived_id("gone", number))


def test_a_new_subject_gets_a_key_and_one_who_has_a_key_keeps_it() -> None:
    keys = ring(bob=key(1))
    plan = planned(keys, [said("ann"), said("bob", number=2)], [said("ann", number=3)])
    assert [row.key_id for row in plan.rows] == ["key 100", "key 1", "key 100"]
    assert (keys.changed, keys.forgets) == ({"ann": key(100)}, False)
    one = said("ann")
    assert plan.rows[0].data == sealed(one.data, FeedbackReceived.personal, key(100).secret,
                                       one.event_id)  # fmt: skip


def test_who_is_forgotten_has_no_key_from_the_next_event_on() -> None:
    keys = ring(ann=key(1))
    plan = planned(keys, [said(number=2)], [gone()], [said(number=3)])
    assert [row.key_id for row in plan.rows] == ["key 1", "key 1", "key 100"]
    assert (keys.changed, keys.forgets) == ({"ann": key(100)}, True)
    keys = ring(ann=key(1))
    planned(keys, [said(number=2), gone()])
    assert (keys.changed, keys.forgets) == ({"ann": None}, True)


def test_somebody_unknown_is_forgotten_under_a_key_that_nobody_keeps() -> None:
    keys = ring()
    plan = planned(keys, [gone()])
    assert [row.key_id for row in plan.rows] == ["key 100"]
    assert keys.changed == {"ann": None}
    assert keys.by_id == {}


def test_what_is_refused_changes_no_key() -> None:
    keys = ring(ann=key(1))
    (row,) = planned(ring(ann=key(1)), [said()]).rows
    plan = planned(keys, [said(comment="not so"), gone()], [said("eve", number=2), said()],
                   existing=[row])  # fmt: skip
    assert [type(answer) for answer in plan.answers] == [IdTaken, IdTaken]
    assert (plan.rows, keys.changed, keys.forgets) == ([], {}, False)


@pytest.mark.parametrize("alive", [True, False])
def test_what_was_said_before_is_answered_as_before_with_its_key_or_without(alive: bool) -> None:
    (row,) = planned(ring(ann=key(1)), [said()]).rows
    keys = ring(ann=key(1)) if alive else ring(ann=key(2))
    plan = planned(keys, [said()], existing=[row])
    assert (plan.answers, plan.rows, keys.changed) == ([(row,)], [], {})
    other = planned(keys, [said(comment="not so")], existing=[row]).answers[0]
    assert isinstance(other, IdTaken) is alive
    for changed in (row._replace(key_id=None), row._replace(data=row.data.replace("1", "2"))):
        (answer,) = planned(keys, [said()], existing=[changed]).answers
        assert isinstance(answer, IdTaken)


def test_a_damaged_key_stops_its_own_subject_before_anything_is_written() -> None:
    keys = ring(bob=key(1))
    keys.damaged = frozenset({"ann", "key 9"})
    plan = planned(keys, [said("bob", number=5), said("ann")], [said("bob", number=6)])
    assert isinstance(plan.answers[0], LogDamaged)
    assert [row.position for row in plan.rows] == [1]
    assert keys.changed == {}
    old = plan.rows[0]._replace(key_id="key 9")
    (answer,) = planned(keys, [said("bob", number=6)], existing=[old]).answers
    assert isinstance(answer, LogDamaged)


def test_a_store_that_looks_up_no_keys_takes_no_personal_fields() -> None:
    with pytest.raises(AssertionError, match="no personal fields"):
        planned(None, [said()])
    assert planned(None, [draft(Noted())]).rows[0].key_id is None


def test_only_drafts_that_are_sealed_need_keys() -> None:
    assert needs([Append((draft(Noted()),))]).subjects == set()
    assert needs([Append((said(), gone("bob"))), Append((said("eve"),))]).subjects == {
        "ann", "bob", "eve",
    }  # fmt: skip
