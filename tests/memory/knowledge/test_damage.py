"""What becomes of an index whose files a crash, a full disk or a hand has damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from events.errors import LogUnavailable
from memory.edge import IndexRefused
from memory.search import Question
from tests.memory.knowledge.shelves import FACTS, history, keeping

DEEP = "[" * 100_000


def generation(folder: Path) -> Path:
    (found,) = (folder / "index").glob("kb_*")
    return found


def noted(**fields: object) -> Callable[[Path], None]:
    """The checkpoint of the generation with other fields."""

    def damage(folder: Path) -> None:
        file = generation(folder) / "checkpoint.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))

    return damage


def identity(text: str) -> Callable[[Path], None]:
    """The note of who the embedder is, with another text."""

    def damage(folder: Path) -> None:
        (file,) = (folder / "vectors").glob("*.json")
        told = json.loads(file.read_text())
        rubbish = [[float("nan")] * told["dim"]] * 3
        file.write_text(text or json.dumps({**told, "probes": rubbish}))

    return damage


def nested(folder: Path) -> None:
    (folder / "index" / "current").write_text(DEEP)


def without_vectors(folder: Path) -> None:
    """The engine opens this folder, and refuses to search in it."""
    for file in generation(folder).rglob("chunk_*.mmap"):
        file.unlink()


DAMAGES = {
    "the name of the current one is nested without end": nested,
    "a position that is a text": noted(position="7"),
    "half a position": noted(position=3.5),
    "a position before all": noted(position=-5),
    "a position behind all": noted(position=10**12),
    "no dimensions": noted(dim=0),
    "points without a number": noted(points="many"),
    "an identity that is nested without end": identity(DEEP),
    "an identity of numbers that are none": identity(""),
    "the vectors are gone": without_vectors,
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_whatever_is_damaged_it_answers_as_before(tmp_path: Path, name: str) -> None:
    store = await history()
    async with keeping(store, tmp_path):
        pass
    DAMAGES[name](tmp_path)
    async with keeping(store, tmp_path) as keeper:
        found = await keeper.search(Question("who approves a refund?", 1))
        assert found.hits[0].text == FACTS[0]
        assert (await keeper.stats())["points"] == len(FACTS)
    assert generation(tmp_path)


async def test_an_index_that_is_whole_is_not_made_anew_for_a_question_that_it_refuses(
    tmp_path: Path,
) -> None:
    async with keeping(await history(), tmp_path) as keeper:
        serving = keeper.library.serving
        assert serving is not None
        with pytest.raises(IndexRefused):
            await serving.index.query([1.0, 2.0], None)
        assert not await keeper.library.mended(serving)
        assert keeper.library.serving is serving


async def test_where_nothing_can_be_written_it_is_told_and_goes_on_when_it_can(
    tmp_path: Path,
) -> None:
    store, folder = await history(), tmp_path / "knowledge"
    async with keeping(store, folder) as keeper:
        await keeper.close()
        shutil.rmtree(folder / "index")
        (folder / "index").write_text("a file where a folder has to be")
        with pytest.raises(LogUnavailable, match="cannot keep its files"):
            await keeper.look()
        (folder / "index").unlink()
        await keeper.look()
        assert (await keeper.hits("refund approval", 1))[0].text == FACTS[0]


async def test_a_generation_that_cannot_take_its_place_lets_go_of_its_folder(
    tmp_path: Path,
) -> None:
    store = await history()
    (tmp_path / "index" / "current" / "in the way").mkdir(parents=True)
    with pytest.raises(LogUnavailable, match="cannot keep its files"):
        async with keeping(store, tmp_path):
            pass
    shutil.rmtree(tmp_path / "index" / "current")
    async with keeping(store, tmp_path) as keeper:
        assert (await keeper.hits("refund approval", 1))[0].text == FACTS[0]
