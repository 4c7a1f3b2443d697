"""The library follows the log, is rebuilt from it, and never mixes what must not be mixed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest

from events.catalog.knowledge import (
    KnowledgeGenerationMade,
    KnowledgeSuperseded,
    KnowledgeWithdrawn,
    PersonalKnowledgeAdded,
)
from events.catalog.people import SubjectForgotten
from events.memory import MemoryStore
from events.store import EventStore, append, every
from memory.edge import EdgeIndex
from memory.embedding import EmbedderAway
from memory.fingerprint import PROBES, EmbedderChanged
from memory.search import Question
from tests.lying import contents
from tests.memory.knowledge.shelves import FACTS, Counting, history, keeping, told

SECRET = "Prefers to be called in the evening, after eight."


async def made(store: EventStore) -> list[KnowledgeGenerationMade]:
    """The generations that the log tells of."""
    found = [one async for some in every(store, types=["KnowledgeGenerationMade"]) for one in some]
    return [one.event() for one in found]  # type: ignore[misc]


async def test_a_question_is_answered_by_what_was_said_and_cites_its_event(tmp_path: Path) -> None:
    store = await history()
    async with keeping(store, tmp_path) as keeper:
        answer = await keeper.search(Question("how long do parcels take to Norway?", 3))
        best = answer.hits[0]
        (cited,) = (await store.find([best.source_event])).values()
        assert best.text == FACTS[1]
        assert cited.type == "KnowledgeAdded"
        assert cited.to_json()["data"]["text"] == best.text
        assert answer.degraded == "lexical"
        assert answer.position == (await store.head()).position - 1  # behind it: the generation


async def test_an_empty_log_has_no_answers_and_makes_no_files(tmp_path: Path) -> None:
    async with keeping(MemoryStore(), tmp_path / "none") as keeper:
        assert (await keeper.search(Question("anything"))).hits == []
    assert not (tmp_path / "none").exists()


async def test_what_is_said_later_is_found_and_what_is_withdrawn_is_not(tmp_path: Path) -> None:
    store = await history()
    async with keeping(store, tmp_path) as keeper:
        (new,) = await told(store, "The canteen closes at three.")
        await keeper.look()
        assert (await keeper.hits("when does the canteen close"))[0].id == new.event_id
        await append(store, KnowledgeWithdrawn(item=new.event_id))
        await keeper.look()
        assert new.event_id not in {one.id for one in await keeper.hits("canteen")}


async def test_what_was_superseded_is_found_only_where_its_time_is_asked_for(
    tmp_path: Path,
) -> None:
    store = await history()
    async with keeping(store, tmp_path) as keeper:
        (old,) = await told(store, "The gate code is 1234.")
        await asyncio.sleep(0.01)  # times are milliseconds
        (new,) = await told(store, "The gate code is 9876.")
        await append(store, KnowledgeSuperseded(item=old.event_id, by=new.event_id))
        await keeper.look()
        now = [one.id for one in await keeper.hits("gate code")]
        assert new.event_id in now
        assert old.event_id not in now
        then = (await keeper.search(Question("gate code", at=old.time()))).hits
        (former,) = [one for one in then if one.id == old.event_id]
        assert former.superseded_by == new.event_id


async def test_who_says_the_same_again_is_cited_instead(tmp_path: Path) -> None:
    store = await history()
    async with keeping(store, tmp_path) as keeper:
        (again,) = await told(store, FACTS[0])
        await told(store, FACTS[2], FACTS[2], tags=("printer",))
        await keeper.look()
        texts = [one.text for one in await keeper.hits("refund approval printer", 20)]
        assert sorted(texts) == sorted(FACTS)
        assert (await keeper.hits("refund approval"))[0].id == again.event_id


async def test_who_says_the_same_again_and_withdraws_it_leaves_nothing(tmp_path: Path) -> None:
    store = await history()
    async with keeping(store, tmp_path) as keeper:
        (again,) = await told(store, FACTS[0])
        await append(store, KnowledgeWithdrawn(item=again.event_id), actor="test")
        await keeper.look()
        asked_now = await keeper.hits(FACTS[0])
    shutil.rmtree(tmp_path)
    async with keeping(store, tmp_path) as keeper:
        assert await keeper.hits(FACTS[0]) == asked_now
    assert FACTS[0] not in {one.text for one in asked_now}


async def test_roles_kinds_and_tags_narrow_a_search(tmp_path: Path) -> None:
    store = await history()
    await told(store, "Refunds are polite.", role="support", kind="rule", tags=("a", "b"))
    await told(store, "Refunds are quick.", role="billing", tags=("a",))
    async with keeping(store, tmp_path) as keeper:

        async def texts(**more: object) -> set[str]:
            found = await keeper.search(Question("refunds", 20, **more))  # type: ignore[arg-type]
            return {one.text for one in found.hits}

        assert "Refunds are quick." not in await texts(role="support")
        assert {FACTS[0], "Refunds are polite."} <= await texts(role="support")
        assert await texts(kind="rule") == {"Refunds are polite."}
        assert await texts(tags=["a"]) == {"Refunds are polite.", "Refunds are quick."}
        assert await texts(tags=["a", "b"]) == {"Refunds are polite."}


async def test_a_second_start_embeds_nothing_and_makes_nothing_anew(tmp_path: Path) -> None:
    store, embedder = await history(), Counting()
    for _ in range(2):
        async with keeping(store, tmp_path, embedder) as keeper:
            assert len(await keeper.hits("refund", 20)) == len(FACTS)
    assert embedder.texts == [*PROBES, *FACTS, *PROBES]
    assert len(await made(store)) == 1


async def test_a_deleted_index_is_rebuilt_by_replay_with_vectors_from_the_cache(
    tmp_path: Path,
) -> None:
    store, embedder = await history(), Counting()
    async with keeping(store, tmp_path, embedder) as keeper:
        before = await keeper.hits("refund approval", 20)
    shutil.rmtree(tmp_path / "index")
    embedder.texts.clear()
    async with keeping(store, tmp_path, embedder) as keeper:
        assert await keeper.hits("refund approval", 20) == before
    assert embedder.texts == list(PROBES)
    assert [one.reason for one in await made(store)] == ["there was none"] * 2


@pytest.mark.parametrize("what", ["points", "checkpoint.json", "segments"])
async def test_a_damaged_index_is_rebuilt(tmp_path: Path, what: str) -> None:
    store = await history()
    async with keeping(store, tmp_path) as keeper:
        before = await keeper.hits("refund approval", 20)
    (place,) = (tmp_path / "index").rglob(what)
    if what == "segments":
        for file in place.rglob("*"):
            if file.is_file():
                file.write_bytes(b"rubbish")
    elif place.is_dir():
        shutil.rmtree(place)
    else:
        place.write_text("{")
    async with keeping(store, tmp_path) as keeper:
        assert await keeper.hits("refund approval", 20) == before
    assert len(list((tmp_path / "index").glob("kb_*"))) == 1


async def test_the_index_of_another_log_is_not_taken(tmp_path: Path) -> None:
    async with keeping(await history(), tmp_path):
        pass
    other = MemoryStore()
    await told(other, "Something else entirely.", *FACTS[1:])
    async with keeping(other, tmp_path) as keeper:
        assert FACTS[0] not in {one.text for one in await keeper.hits("refund", 20)}


async def test_another_embedder_makes_its_own_generation(tmp_path: Path) -> None:
    store, other = await history(), Counting("another")
    async with keeping(store, tmp_path):
        pass
    async with keeping(store, tmp_path, other) as keeper:
        answer = await keeper.search(Question("refund approval"))
        assert (answer.embedder, answer.degraded) == ("another", "")
        assert answer.hits[0].text == FACTS[0]
    assert other.texts == [*PROBES, *FACTS]
    first, second = await made(store)
    assert first.fingerprint != second.fingerprint
    assert second.reason == "the embedder is another"


async def test_an_embedder_that_has_changed_behind_its_name_is_refused(tmp_path: Path) -> None:
    store, embedder = await history(), Counting()
    async with keeping(store, tmp_path, embedder):
        pass
    embedder.turned = True
    async with keeping(store, tmp_path / "x") as keeper:
        keeper = type(keeper)(store, type(keeper.library)(
            store, tmp_path, keeper.library._engine, embedder))  # fmt: skip
        with pytest.raises(EmbedderChanged, match="is not the one that made the vectors"):
            await keeper.look()
        answer = await keeper.search(Question("refund approval"))
        assert answer.hits[0].text == FACTS[0]
        assert answer.hits[0].meaning is None
        assert "words alone" in answer.degraded
        keeper.make_anew()
        await keeper.look()
        assert (await keeper.search(Question("refund approval"))).degraded == ""
        await keeper.close()
    assert [one.reason for one in await made(store)][-1] == "it was asked for"


async def test_without_its_embedder_words_are_still_found(tmp_path: Path) -> None:
    store, embedder = await history(), Counting()
    async with keeping(store, tmp_path, embedder) as keeper:
        embedder.away = True
        answer = await keeper.search(Question("refund approval"))
        assert answer.hits[0].text == FACTS[0]
        assert "does not answer" in answer.degraded
        await told(store, "The canteen closes at three.")
        with pytest.raises(EmbedderAway):
            await keeper.look()
        embedder.away = False
        await keeper.look()
        assert (await keeper.hits("canteen"))[0].text == "The canteen closes at three."


async def test_an_embedder_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    embedder = Counting()
    async with keeping(await history(), tmp_path, embedder) as keeper:
        embedder.hangs = True
        async with asyncio.timeout(60):
            answer = await keeper.search(Question("refund approval"))
        assert answer.hits[0].text == FACTS[0]
        assert "words alone" in answer.degraded


async def test_an_engine_that_is_killed_is_opened_again(tmp_path: Path) -> None:
    store = await history()
    async with keeping(store, tmp_path) as keeper:
        assert keeper.library.serving is not None
        index = keeper.library.serving.index
        assert isinstance(index, EdgeIndex)
        os.kill(index._child.pid, signal.SIGKILL)
        assert len(await keeper.hits("refund", 20)) == len(FACTS)


async def test_what_is_about_people_is_found_by_who_may_see_it_only(tmp_path: Path) -> None:
    store = await history()
    await append(store, PersonalKnowledgeAdded(subject="customer-1", text=SECRET))
    async with keeping(store, tmp_path) as keeper:
        assert SECRET not in {one.text for one in await keeper.hits("called in the evening", 20)}
        seen = (await keeper.search(Question("called in the evening", personal=True))).hits[0]
        assert seen.text == SECRET
        assert seen.personal
    assert not _lies_in(tmp_path, SECRET.encode())


async def test_nothing_of_somebody_forgotten_is_left(tmp_path: Path) -> None:
    store, embedder = await history(), Counting()
    (told_of,) = await append(store, PersonalKnowledgeAdded(subject="customer-1", text=SECRET))
    assert told_of.key_id is not None
    async with keeping(store, tmp_path, embedder) as keeper:
        (shown,) = await keeper.hits("called in the evening", 1)
        assert shown.text != SECRET
        assert _lies_in(tmp_path, bytes.fromhex(told_of.key_id.replace("-", "")))
        before = (await keeper.stats())["generation"]
        await append(store, SubjectForgotten(subject="customer-1"))
        await keeper.forget(told_of.key_id)
        await keeper.forget(told_of.key_id)
        found = (await keeper.search(Question("called in the evening", 20, personal=True))).hits
        assert {one.text for one in found} == set(FACTS)
        assert (await keeper.stats())["generation"] != before
    assert not _lies_in(tmp_path, told_of.key_id.encode())
    assert not _lies_in(tmp_path, bytes.fromhex(told_of.key_id.replace("-", "")))
    embedder.texts.clear()
    shutil.rmtree(tmp_path / "index")
    async with keeping(store, tmp_path, embedder) as keeper:
        assert (await keeper.stats())["points"] == len(FACTS)
    assert embedder.texts == list(PROBES)


def _lies_in(folder: Path, what: bytes) -> bool:
    """Whether these bytes lie in any file."""
    return any(what in content for _, content in contents(folder))
