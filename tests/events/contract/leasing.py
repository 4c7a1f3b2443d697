"""What every store promises about checkpoints, leases and the requests granted under them."""

from __future__ import annotations

import asyncio

import pytest

from events.envelope import draft
from events.errors import CheckpointMoved, LeaseLost, Malformed
from events.ids import derived_id
from events.needs import request_lease
from events.store import (
    EndLocalLeases,
    Held,
    Lease,
    Move,
    ReleaseLease,
    RenewLease,
    TakeLease,
    append,
)
from tests.events.contract.case import StoreCase
from tests.events.messages import (
    REST,
    WORK,
    Noted,
    RestRequested,
    WorkCancelled,
    WorkDone,
    WorkRequested,
    claim,
    held,
    take,
)


class CheckpointContract(StoreCase):
    """How far a reader has come."""

    async def test_a_checkpoint_goes_on_from_where_it_stands(self) -> None:
        async with self.open() as store:
            assert await store.checkpoint("reader") == 0
            assert await append(store, move=Move("reader", 0, 5)) == ()
            await append(store, move=Move("reader", 5, 5))
            for wrong in (Move("reader", 0, 6), Move("reader", 4, 6), Move("reader", 6, 7)):
                with pytest.raises(CheckpointMoved):
                    await append(store, move=wrong)
            assert await store.checkpoint("reader") == 5
            assert await store.checkpoint("another") == 0

    async def test_a_checkpoint_never_goes_back(self) -> None:
        async with self.open() as store:
            await append(store, move=Move("reader", 0, 5))
            with pytest.raises(CheckpointMoved, match="would go back"):
                await append(store, move=Move("reader", 5, 4))
            assert await store.checkpoint("reader") == 5

    async def test_a_decision_and_its_checkpoint_are_one(self) -> None:
        async with self.open() as store:
            await append(store, Noted(text="decision"), move=Move("reader", 0, 1))
            with pytest.raises(CheckpointMoved):
                await append(store, Noted(text="too late"), move=Move("reader", 0, 2))
            assert len(await self.intact(store)) == 1
            assert await store.checkpoint("reader") == 1

    async def test_of_two_readers_at_one_checkpoint_one_goes_on(self) -> None:
        async with self.open() as store:
            answers = await asyncio.gather(
                *(append(store, Noted(), move=Move("reader", 0, 1)) for _ in range(10)),
                return_exceptions=True,
            )
            assert sum(isinstance(answer, CheckpointMoved) for answer in answers) == 9
            assert len(await self.intact(store)) == 1

    async def test_a_checkpoint_moves_under_the_current_lease_only(self) -> None:
        async with self.open() as store:
            first = await take(store, "agent/a", "one")
            await append(store, Noted(), move=Move("reader", 0, 1, held(first)))
            self.clock.go(11)
            second = await take(store, "agent/a", "two")
            with pytest.raises(LeaseLost):
                await append(store, Noted(), move=Move("reader", 1, 2, held(first)))
            with pytest.raises(LeaseLost):
                await append(store, Noted(), move=Move("reader", 1, 2, Held("agent/b", 1)))
            assert len(await self.intact(store)) == 1
            await append(store, Noted(), move=Move("reader", 1, 2, held(second)))
            assert await store.checkpoint("reader") == 2


class LeaseContract(StoreCase):
    """Who may act under a name."""

    async def test_a_lease_is_one_holders_until_it_ends(self) -> None:
        async with self.open() as store:
            first = await take(store, "agent/a", "one")
            now = self.clock.now.timestamp()
            assert first == Lease("agent/a", "", 0, "one", 1, now + 10, True)
            with pytest.raises(LeaseLost, match="is held by one"):
                await take(store, "agent/a", "two")
            assert (await take(store, "agent/b", "two")).epoch == 1
            self.clock.go(10)
            second = await take(store, "agent/a", "two")
            assert (second.holder, second.epoch) == ("two", 2)
            assert [lease.name for lease in await store.leases()] == ["agent/a", "agent/b"]

    async def test_a_holder_who_comes_back_gets_a_new_epoch(self) -> None:
        async with self.open() as store:
            first, second = await take(store, "agent/a"), await take(store, "agent/a")
            assert (first.epoch, second.epoch) == (1, 2)
            with pytest.raises(LeaseLost):
                await store.submit(RenewLease(held(first), 10))

    async def test_a_lease_that_is_renewed_lasts(self) -> None:
        async with self.open() as store:
            lease = await take(store, "agent/a", "one")
            for _ in range(3):
                self.clock.go(9)
                await store.submit(RenewLease(held(lease), 10))
            with pytest.raises(LeaseLost):
                await take(store, "agent/a", "two")
            [now] = await store.leases()
            assert now == lease._replace(until=self.clock.now.timestamp() + 10)

    async def test_a_lease_that_is_released_is_free_at_once(self) -> None:
        async with self.open() as store:
            first = await take(store, "agent/a", "one")
            await store.submit(ReleaseLease(held(first)))
            with pytest.raises(LeaseLost):
                await store.submit(RenewLease(held(first), 10))
            assert (await take(store, "agent/a", "two")).epoch == 2
            with pytest.raises(LeaseLost):
                await store.submit(ReleaseLease(held(first)))

    async def test_of_many_who_want_a_lease_one_gets_it(self) -> None:
        async with self.open() as store:
            answers = await asyncio.gather(
                *(store.submit(TakeLease("agent/a", f"holder {i}", 10)) for i in range(20)),
                return_exceptions=True,
            )
            assert isinstance(answers[0], Lease)
            assert all(isinstance(answer, LeaseLost) for answer in answers[1:])

    async def test_a_new_owner_ends_local_leases_and_no_others(self) -> None:
        async with self.open() as store:
            near = await take(store, "agent/a", "near")
            far = await store.submit(TakeLease("agent/b", "far", 10, local=False))
            requests = [(await append(store, WorkRequested()))[0] for _ in range(2)]
            near_work = await claim(store, holder="near")
            far_work = await claim(store, holder="far", local=False)
            assert await store.submit(EndLocalLeases()) is None
            for lost in (near, near_work):
                with pytest.raises(LeaseLost):
                    await store.submit(RenewLease(held(lost), 10))
            assert isinstance(far, Lease)
            for kept in (far, far_work):
                await store.submit(RenewLease(held(kept), 10))
            again = await claim(store, holder="next")
            assert again is not None
            assert (again.name, again.epoch) == (request_lease(requests[0].event_id), 2)


class RequestContract(StoreCase):
    """Requests that workers answer."""

    async def test_a_request_is_granted_to_one_worker_the_oldest_first(self) -> None:
        async with self.open() as store:
            asked = [(await append(store, WorkRequested(what=str(i))))[0] for i in range(3)]
            assert [lease.position for lease in await store.leases()] == [1, 2, 3]
            got = await asyncio.gather(*(claim(store, holder=f"w{i}") for i in range(4)))
            assert got[3] is None
            for i, (request, lease) in enumerate(zip(asked, got[:3], strict=True)):
                now = self.clock.now.timestamp()
                name = request_lease(request.event_id)
                assert lease == Lease(name, WORK, i + 1, f"w{i}", 1, now + 10, True)

    async def test_workers_of_several_kinds_never_pass_one_by(self) -> None:
        async with self.open() as store:
            await append(store, WorkRequested(), WorkRequested(), RestRequested())
            one, two = await asyncio.gather(claim(store, WORK), claim(store, REST, WORK))
            three, none = await asyncio.gather(claim(store, WORK, REST), claim(store, WORK))
            got = [lease and lease.position for lease in (one, two, three, none)]
            assert got == [1, 2, 3, None]

    async def test_who_asks_passes_by_what_it_names(self) -> None:
        async with self.open() as store:
            asked = [(await append(store, WorkRequested(what=w)))[0] for w in ("1", "2", "3")]
            two = frozenset(request_lease(one.event_id) for one in asked[:2])
            assert held(await claim(store, without=two)).name == request_lease(asked[2].event_id)
            assert await claim(store, without=two) is None
            assert held(await claim(store)).name == request_lease(asked[0].event_id)

    async def test_a_claim_sees_what_those_before_it_asked_and_withdrew(self) -> None:
        async with self.open() as store:
            [one], [two] = [await append(store, WorkRequested(what=w)) for w in ("1", "2")]
            _, lease = await asyncio.gather(
                append(store, WorkCancelled(request=one.event_id)), claim(store)
            )
            assert held(lease).name == request_lease(two.event_id)
            _, new, none = await asyncio.gather(
                append(store, WorkRequested(what="3")), claim(store), claim(store)
            )
            assert (new and new.position, none) == (4, None)

    async def test_a_request_whose_lease_ends_goes_to_another(self) -> None:
        async with self.open() as store:
            await append(store, WorkRequested())
            first = await claim(store, holder="one")
            assert await claim(store, holder="two") is None
            self.clock.go(10)
            second = await claim(store, holder="two")
            assert held(second) == Held(held(first).name, 2)
            await store.submit(ReleaseLease(held(second)))
            third = await claim(store, holder="three")
            assert held(third).epoch == 3

    async def test_an_outcome_needs_the_lease_of_its_request(self) -> None:
        async with self.open() as store:
            [request] = await append(store, WorkRequested())
            [other] = await append(store, WorkRequested())
            with pytest.raises(LeaseLost):
                await append(store, WorkDone(), cause=request)
            unclaimed = Held(request_lease(request.event_id), 0)
            with pytest.raises(LeaseLost):
                await append(store, WorkDone(), cause=request, answers=unclaimed)
            lease = await claim(store)
            for cause in (None, other):
                with pytest.raises(Malformed, match="another cause"):
                    await append(store, WorkDone(), cause=cause, answers=held(lease))
            agent = await take(store, "agent/a")
            with pytest.raises(Malformed):
                await append(store, WorkDone(), cause=request, answers=held(agent))
            assert len(await self.intact(store)) == 2
            await append(store, WorkDone(), Noted(), cause=request, answers=held(lease))
            names = {one.name for one in await store.leases()}
            assert names == {"agent/a", request_lease(other.event_id)}

    async def test_the_first_answer_wins_and_is_given_again(self) -> None:
        async with self.open() as store:
            [request] = await append(store, WorkRequested())
            lease = await claim(store)
            done = draft(WorkDone(result="1"), derived_id("outcome", request.event_id))
            first = await append(store, done, cause=request, answers=held(lease))
            again = await append(store, done, cause=request, answers=held(lease))
            assert again == first
            with pytest.raises(LeaseLost, match="answered or withdrawn"):
                await append(store, WorkDone(result="2"), cause=request, answers=held(lease))
            assert await claim(store) is None

    async def test_an_answer_after_the_request_was_granted_anew_is_too_late(self) -> None:
        async with self.open() as store:
            [request] = await append(store, WorkRequested())
            slow = await claim(store, holder="slow")
            self.clock.go(11)
            quick = await claim(store, holder="quick")
            with pytest.raises(LeaseLost, match="granted anew"):
                await append(store, WorkDone(), cause=request, answers=held(slow))
            await append(store, WorkDone(), cause=request, answers=held(quick))

    async def test_an_answer_after_the_end_still_counts_while_nobody_else_began(self) -> None:
        async with self.open() as store:
            [request] = await append(store, WorkRequested())
            slow = await claim(store)
            self.clock.go(60)
            await append(store, WorkDone(), cause=request, answers=held(slow))
            assert await store.leases() == []

    async def test_a_request_that_is_withdrawn_is_nobodys_any_more(self) -> None:
        async with self.open() as store:
            asked = [(await append(store, WorkRequested()))[0] for _ in range(2)]
            lease = await claim(store)
            for request in asked:
                await append(store, WorkCancelled(request=request.event_id))
            await append(store, WorkCancelled(request="unheard of"))
            assert await store.leases() == []
            assert await claim(store) is None
            with pytest.raises(LeaseLost):
                await append(store, WorkDone(), cause=asked[0], answers=held(lease))

    async def test_a_request_and_its_end_in_one_append_leave_nothing_open(self) -> None:
        async with self.open() as store:
            request = draft(WorkRequested(), derived_id("short"))
            await append(store, request, WorkCancelled(request=request.event_id))
            assert await store.leases() == []

    async def test_an_answer_may_withdraw_its_own_request(self) -> None:
        async with self.open() as store:
            [request] = await append(store, WorkRequested())
            lease = await claim(store)
            both = (WorkDone(), WorkCancelled(request=request.event_id))
            await append(store, *both, cause=request, answers=held(lease))
            assert await store.leases() == []

    async def test_a_request_said_again_is_not_opened_again(self) -> None:
        async with self.open() as store:
            one = draft(WorkRequested(), derived_id("once"))
            [request] = await append(store, one)
            await append(store, WorkDone(), cause=request, answers=held(await claim(store)))
            assert await append(store, one) == (request,)
            assert await store.leases() == []
