"""What every store promises about adding events: order, atomicity, conflicts, repeated ids."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from events.envelope import Envelope, draft
from events.errors import IdTaken, Malformed, VersionConflict
from events.ids import derived_id
from events.store import EXISTS, Append, append
from tests.events.contract.case import StoreCase
from tests.events.messages import Noted, outcome, positions


class AppendContract(StoreCase):
    """Adding events."""

    async def test_an_empty_log_ends_at_position_zero(self) -> None:
        async with self.open() as store:
            assert await self.intact(store) == []
            assert await append(store) == ()
            assert (await store.head()).position == 0

    async def test_what_was_said_is_what_is_read(self) -> None:
        async with self.open() as store:
            said = Noted(about="b", text="line\nbreak, '☃' and \x00 nul")
            [written] = await append(store, said, actor="human:ann")
            [read] = await store.read()
            assert read == written
            assert read.event() == said
            assert (read.type, read.schema, read.stream) == ("Test.Noted", 1, "note/b")
            assert (read.position, read.version, read.actor) == (1, 1, "human:ann")
            assert (read.key_id, read.time()) == (None, self.clock.now)

    async def test_positions_have_no_gap_and_streams_count_by_themselves(self) -> None:
        async with self.open() as store:
            notes = [Noted(about=f"s{i % 7}", text=str(i)) for i in range(70)]
            answers = await asyncio.gather(*(append(store, note) for note in notes))
            log = await self.intact(store)
            assert positions(log) == list(range(1, 71))
            assert sorted(envelope for answer in answers for envelope in answer) == log
            for name in {envelope.stream for envelope in log}:
                own = [envelope.version for envelope in log if envelope.stream == name]
                assert own == list(range(1, 11))

    async def test_more_callers_than_a_batch_holds_are_all_answered(self) -> None:
        async with self.open() as store:
            drafts = [draft(Noted(text=str(i))) for i in range(1300)]
            answers = await asyncio.gather(*(append(store, one) for one in drafts))
            assert [answer[0].event_id for answer in answers] == [one.event_id for one in drafts]
            assert [answer[0].position for answer in answers] == list(range(1, 1301))
            assert len(await self.intact(store)) == 1300

    async def test_events_of_one_append_stand_together_in_their_order(self) -> None:
        async with self.open() as store:
            both = (Noted(about="a"), Noted(about="b"))
            answers = await asyncio.gather(*(append(store, *both) for _ in range(20)))
            for first, second in answers:
                assert second.position == first.position + 1
                assert (first.stream, second.stream) == ("note/a", "note/b")

    async def test_all_are_added_or_none(self) -> None:
        async with self.open() as store:
            await append(store, Noted(about="a"))
            expected = {"note/b": 0, "note/a": 0}
            with pytest.raises(VersionConflict) as caught:
                await append(store, Noted(about="b"), Noted(about="a"), expected=expected)
            assert caught.value.where == "note/a"
            assert "is at version 1" in str(caught.value)
            assert len(await self.intact(store)) == 1
            assert await store.last("note/b") is None
            [one, two] = await append(store, Noted(about="b"), Noted(about="a"))
            assert (one.position, one.version, two.position, two.version) == (2, 1, 3, 2)

    @pytest.mark.parametrize(
        ("begun", "expected", "fits"),
        [
            (0, 0, True),
            (0, 1, False),
            (0, EXISTS, False),
            (2, 0, False),
            (2, 1, False),
            (2, 2, True),
            (2, 3, False),
            (2, EXISTS, True),
        ],
    )
    async def test_an_expected_version_is_met_or_refused(
        self, begun: int, expected: int, fits: bool
    ) -> None:
        async with self.open() as store:
            for _ in range(begun):
                await append(store, Noted())
            answer = await outcome(
                store, Append((draft(Noted(about="other")),), expected={"note/a": expected})
            )
            assert isinstance(answer, tuple) is fits
            if not fits:
                assert str(answer).startswith("VersionConflict: stream 'note/a' is at version")
            assert len(await self.intact(store)) == begun + fits

    async def test_one_of_many_who_expect_the_same_version_comes_first(self) -> None:
        async with self.open() as store:
            answers = await asyncio.gather(
                *(append(store, Noted(), expected={"note/a": 0}) for _ in range(30)),
                return_exceptions=True,
            )
            assert sum(isinstance(answer, tuple) for answer in answers) == 1
            assert sum(isinstance(answer, VersionConflict) for answer in answers) == 29

    async def test_a_conflict_leaves_those_beside_it_unharmed(self) -> None:
        async with self.open() as store:
            answers = await asyncio.gather(
                *(
                    append(
                        store,
                        Noted(text=str(i)),
                        expected={"note/a": 10_000} if i % 5 == 0 else None,
                    )
                    for i in range(100)
                ),
                return_exceptions=True,
            )
            for i, answer in enumerate(answers):
                assert isinstance(answer, VersionConflict if i % 5 == 0 else tuple)
            texts = [envelope.event() for envelope in await self.intact(store)]
            assert texts == [Noted(text=str(i)) for i in range(100) if i % 5]

    async def test_the_same_id_and_content_gets_the_same_answer(self) -> None:
        async with self.open() as store:
            one = draft(Noted(text="once"), derived_id("once"))
            first = await append(store, one)
            await append(store, Noted(text="between"))
            assert await append(store, one) == first
            assert await append(store, one, expected={"note/a": 0}) == first
            assert len(await self.intact(store)) == 2

    @pytest.mark.parametrize("chosen", [True, False])
    async def test_the_same_id_at_the_same_time_is_written_once(self, chosen: bool) -> None:
        async with self.open() as store:
            one = draft(Noted(text="once"), derived_id("once") if chosen else None)
            calls = [append(store, one) for _ in range(10)]
            calls += [append(store, Noted(text=str(i))) for i in range(10)]
            answers = await asyncio.gather(*calls)
            assert set(answers[:10]) == {answers[0]}
            assert len(await self.intact(store)) == 11

    async def test_a_draft_sent_again_is_known_though_nobody_chose_its_id(self) -> None:
        async with self.open() as store:
            one = draft(Noted(text="once"))
            first = await append(store, one)
            again, beside = await asyncio.gather(append(store, one), append(store, Noted()))
            assert again == first
            assert beside[0].position == 2
            assert len(await self.intact(store)) == 2

    async def test_the_same_id_with_other_content_is_refused(self) -> None:
        async with self.open() as store:
            taken = derived_id("taken")
            await append(store, draft(Noted(text="this"), taken))
            for other in (Noted(text="that"), Noted(about="b", text="this")):
                with pytest.raises(IdTaken):
                    await append(store, draft(other, taken))
            one, two = draft(Noted(text="1"), derived_id(1)), draft(Noted(text="2"), derived_id(1))
            answers = await asyncio.gather(
                append(store, one), append(store, two), return_exceptions=True
            )
            assert isinstance(answers[0], tuple)
            assert isinstance(answers[1], IdTaken)
            assert len(await self.intact(store)) == 2

    async def test_a_repetition_in_part_is_refused(self) -> None:
        async with self.open() as store:
            old, new = (draft(Noted(text=t), derived_id(t)) for t in ("old", "new"))
            await append(store, old)
            for mixed in ((old, new), (new, old), (old, old)):
                with pytest.raises(IdTaken):
                    await append(store, *mixed)
            with pytest.raises(IdTaken):
                await append(store, new, new)
            assert len(await self.intact(store)) == 1

    async def test_a_cause_is_recorded_and_its_correlation_goes_on(self) -> None:
        async with self.open() as store:
            [first] = await append(store, Noted())
            [second] = await append(store, Noted(), cause=first)
            [third] = await append(store, Noted(), cause=second)
            assert (first.cause_id, first.correlation_id) == (None, first.event_id)
            assert (second.cause_id, second.correlation_id) == (first.event_id, first.event_id)
            assert (third.cause_id, third.correlation_id) == (second.event_id, first.event_id)
            await self.intact(store)

    async def test_recorded_time_stands_still_while_the_clock_goes_back(self) -> None:
        async with self.open() as store:
            times = []
            for hours in (0, 1, -5, -4, 3):
                self.clock.now += timedelta(hours=hours)
                times.append((await append(store, Noted()))[0].recorded_at)
            noon, one = "2026-01-01T12:00:00.000000Z", "2026-01-01T13:00:00.000000Z"
            assert times == [noon, one, one, one, one]
            self.clock.now += timedelta(hours=9)
            assert (await append(store, Noted()))[0].recorded_at > one

    async def test_a_name_with_a_line_break_never_gets_into_the_chain(self) -> None:
        async with self.open() as store:
            for bad_id in ("", "a\nb"):
                with pytest.raises(Malformed):
                    draft(Noted(), bad_id)
            bad, good = await asyncio.gather(
                append(store, Noted(), actor="me\nyou"),
                append(store, Noted()),
                return_exceptions=True,
            )
            assert isinstance(bad, Malformed)
            assert isinstance(good, tuple)
            assert len(await self.intact(store)) == 1

    async def test_what_a_cancelled_caller_submitted_harms_nobody(self) -> None:
        async with self.open() as store:
            hasty = asyncio.ensure_future(append(store, draft(Noted(text="hasty"), "hasty")))
            patient = asyncio.ensure_future(append(store, Noted(text="patient")))
            await asyncio.sleep(0)
            hasty.cancel()
            assert isinstance((await patient)[0], Envelope)
            await append(store, draft(Noted(text="hasty"), "hasty"))
            assert len(await self.intact(store)) == 2
