"""What every store promises about people: only sealed texts are kept, and one key opens them."""

from __future__ import annotations

import asyncio
import json

import pytest

from events.catalog.people import FeedbackReceived, SubjectForgotten
from events.envelope import Draft, Envelope, draft
from events.errors import IdTaken, LogDamaged, Malformed
from events.ids import derived_id, new_id
from events.keeper import Keeper
from events.store import EventStore, append
from tests.events.contract.case import StoreCase
from tests.events.messages import Noted

PLAIN = "I live in Nida, behind the lighthouse ☃"


def feedback(subject: str = "ann", comment: str = PLAIN, event_id: str | None = None) -> Draft:
    said = FeedbackReceived(subject=subject, role="support", rating=2, comment=comment)
    return draft(said, event_id or new_id())


def forgetting(subject: str = "ann", event_id: str | None = None) -> Draft:
    return draft(SubjectForgotten(subject=subject), event_id or new_id())


async def comment(store: EventStore, envelope: Envelope) -> str:
    """What can be read of it now."""
    (shown,) = await store.reveal([envelope])
    found: str = json.loads(shown.data)["comment"]
    return found


class ForgettingContract(StoreCase):
    """Personal fields, and what is left of them."""

    async def test_what_is_kept_is_sealed_and_can_be_revealed(self) -> None:
        async with self.open() as store:
            [one] = await append(store, feedback())
            [read] = await self.intact(store)
            assert read == one
            assert PLAIN not in one.data
            assert '"ann"' not in one.data
            assert (one.key_id is None, one.stream) == (False, "feedback/support")
            event = one.event()
            assert isinstance(event, FeedbackReceived)
            assert event.comment.startswith("sealed:1:")
            assert (event.rating, event.role) == (2, "support")
            [shown] = await store.reveal([one])
            assert shown.event() == FeedbackReceived(
                subject="ann", role="support", rating=2, comment=PLAIN
            )
            assert shown._replace(data=one.data) == one

    async def test_a_subject_has_one_key_and_another_subject_another(self) -> None:
        async with self.open() as store:
            said = [feedback("ann"), feedback("bob"), feedback("ann")]
            [[one], [other], [two]] = await asyncio.gather(*(append(store, o) for o in said))
            assert one.key_id == two.key_id != other.key_id
            assert one.data != two.data
            assert await store.sealed_under(one.key_id or "") == [one, two]
            assert await store.sealed_under(one.key_id or "", one.position) == [two]
            assert await store.sealed_under(one.key_id or "", 0, 1) == [one]
            assert await store.sealed_under("unheard") == []

    async def test_however_its_letters_are_composed_a_name_is_one_name(self) -> None:
        async with self.open() as store:
            [one] = await append(store, feedback("Andr\u00e9"))
            [two] = await append(store, feedback("Andre\u0301"))
            assert one.key_id == two.key_id

    async def test_who_is_forgotten_cannot_be_read_again(self) -> None:
        async with self.open() as store:
            [one, other] = await append(store, feedback("ann"), feedback("bob"))
            [gone] = await append(store, forgetting("ann"))
            assert gone.key_id == one.key_id
            assert await store.reveal([one, gone]) == [one, gone]
            assert await comment(store, other) == PLAIN
            assert await self.intact(store) == [one, other, gone]
            assert await store.read() == [one, other, gone]

    async def test_who_speaks_again_gets_a_new_key(self) -> None:
        async with self.open() as store:
            said = [feedback(), forgetting(), feedback(), forgetting(), feedback()]
            log = [envelope for [envelope] in [await append(store, one) for one in said]]
            together = await append(store, feedback(), forgetting(), feedback(), feedback("bob"))
            assert await store.reveal(log) == log
            shown = [await comment(store, one) for one in (together[2], together[3])]
            assert shown == [PLAIN, PLAIN]
            assert log[0].key_id == log[1].key_id
            assert log[2].key_id == log[3].key_id
            assert log[4].key_id == together[0].key_id == together[1].key_id
            ids = {log[0].key_id, log[2].key_id, log[4].key_id, together[2].key_id}
            assert len(ids) == 4
            assert len(await self.intact(store)) == 9

    async def test_keys_of_one_batch_are_shared_and_forgotten_within_it(self) -> None:
        async with self.open() as store:
            said = [feedback(), feedback(), forgetting(), feedback(), forgetting("bob")]
            answers = await asyncio.gather(*(append(store, one) for one in said))
            log = [envelope for [envelope] in answers]
            assert log[0].key_id == log[1].key_id == log[2].key_id != log[3].key_id
            assert await store.reveal(log[:3]) == log[:3]
            assert await comment(store, log[3]) == PLAIN

    async def test_somebody_unknown_can_be_forgotten(self) -> None:
        async with self.open() as store:
            [gone] = await append(store, forgetting("nobody"))
            [again] = await append(store, forgetting("nobody"))
            assert gone.key_id != again.key_id
            assert await store.reveal([gone, again]) == [gone, again]
            assert "nobody" not in gone.data

    async def test_the_same_id_and_texts_get_the_same_answer(self) -> None:
        async with self.open() as store:
            one = feedback(event_id=derived_id("once"))
            first = await append(store, one)
            assert await append(store, one) == first
            answers = await asyncio.gather(*(append(store, one) for _ in range(3)))
            assert answers == [first] * 3
            assert len(await self.intact(store)) == 1

    async def test_a_draft_sent_again_is_known_though_nobody_chose_its_id(self) -> None:
        async with self.open() as store:
            one = feedback()._replace(known_id=False)
            first = await append(store, one)
            assert await append(store, one) == first
            again, beside = await asyncio.gather(append(store, one), append(store, Noted()))
            assert (again, beside[0].position) == (first, 2)

    @pytest.mark.parametrize(("subject", "text"), [("ann", "elsewhere"), ("bob", PLAIN)])
    async def test_the_same_id_with_another_text_or_subject_is_refused(
        self, subject: str, text: str
    ) -> None:
        async with self.open() as store:
            taken = derived_id("taken")
            await append(store, feedback("ann", PLAIN, taken), feedback("bob"))
            with pytest.raises(IdTaken) as caught:
                await append(store, feedback(subject, text, taken))
            assert text not in str(caught.value)
            assert len(await self.intact(store)) == 2

    async def test_what_is_sent_again_brings_nobody_back_who_was_forgotten(self) -> None:
        async with self.open() as store:
            said, gone = feedback(event_id=derived_id("a")), forgetting(event_id=derived_id("b"))
            first, last = await append(store, said), await append(store, gone)
            assert await append(store, said) == first
            assert await append(store, gone) == last
            [later] = await append(store, feedback())
            assert await append(store, gone) == last
            assert await comment(store, later) == PLAIN
            rated = FeedbackReceived(subject="ann", role="support", rating=5, comment=PLAIN)
            with pytest.raises(IdTaken):
                await append(store, draft(rated, said.event_id))

    async def test_what_is_refused_leaves_no_key_and_no_hole(self) -> None:
        async with self.open() as store:
            [one] = await append(store, feedback())
            with pytest.raises(IdTaken):
                await append(store, feedback(comment="other", event_id=one.event_id), forgetting())
            assert await comment(store, one) == PLAIN
            assert len(await self.intact(store)) == 1

    async def test_what_bears_a_key_id_but_no_token_is_shown_as_it_is(self) -> None:
        async with self.open() as store:
            [one, note] = await append(store, feedback(), Noted(text="sealed:1:AAAA"))
            assert await store.reveal([]) == []
            assert await store.reveal([note]) == [note]
            moved = note._replace(key_id=one.key_id)
            assert await store.reveal([moved]) == [moved]

    async def test_a_correlation_binds_what_has_no_cause(self) -> None:
        async with self.open() as store:
            bond = derived_id("trace")
            [one, two] = await append(store, Noted(), Noted(), correlation=bond)
            [effect] = await append(store, Noted(), cause=one, correlation=new_id())
            [free] = await append(store, Noted())
            found = [envelope.correlation_id for envelope in (one, two, effect, free)]
            assert found == [bond, bond, bond, free.event_id]
            for wrong in ("", "a\nb", bond.upper()):
                with pytest.raises(Malformed, match="is no id"):
                    await append(store, Noted(), correlation=wrong)
            assert len(await self.intact(store)) == 4


class DurableForgetting(StoreCase):
    """Keys outlive the store as events do, under the key of the home."""

    async def test_keys_are_there_again_and_so_is_forgetting(self) -> None:
        async with self.open() as store:
            log = await append(store, feedback("ann"), feedback("bob"))
        async with self.open() as store:
            assert [await comment(store, one) for one in log] == [PLAIN, PLAIN]
            [more] = await append(store, feedback("ann"))
            assert more.key_id == log[0].key_id
            await append(store, forgetting("ann"))
        async with self.open() as store:
            assert await store.reveal([log[0], more]) == [log[0], more]
            assert await comment(store, log[1]) == PLAIN
            assert await append(store, feedback("bob", event_id=log[1].event_id)) == (log[1],)

    async def test_under_the_key_of_another_home_nothing_begins(self) -> None:
        async with self.open() as store:
            [one] = await append(store, feedback())
        ours, self.keeper = self.keeper, Keeper.fresh()
        with pytest.raises(LogDamaged, match="does not open under the key of this home"):
            await self.make(self.place, self.clock, self.signer)
        self.keeper = ours
        async with self.open() as store:
            assert await comment(store, one) == PLAIN
            await append(store, feedback())
