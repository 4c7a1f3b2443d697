"""What the tests of real runs share: the poisoned types, and three runs that they spoil."""

from __future__ import annotations

import asyncio
import json
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

import pytest

from events.catalog.training import RunStarted, TrainingRequested
from events.store import append
from infra.home import Home
from tests.infra.training.poisons import installed
from tests.infra.training.small import Asked, Ended, begun, over, put, true, working

LEAKED = Asked("leaked", "leaked_evaluation")
FEW = Asked("few", "sound_replies", changes=(put("pairs", "prompts", 20),))


class Spoiled(NamedTuple):
    """One home, and how its runs ended."""

    home: Home
    leaked: Ended
    few: Ended
    wild: Ended


@pytest.fixture(scope="package")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The types of others are installed, here and in the processes that this one starts."""
    with pytest.MonkeyPatch.context() as patch:
        found = installed(tmp_path_factory.mktemp("site"))
        patch.syspath_prepend(found.partition(":")[0])
        patch.setenv("PYTHONPATH", found)
        yield found


@pytest.fixture(scope="package")
def spoiled(path: str, tmp_path_factory: pytest.TempPathFactory) -> Spoiled:
    """Leaks, too few pairs and a base whose loss is no number, in one home."""
    assert path
    folder = tmp_path_factory.mktemp("spoiled")
    return asyncio.run(_spoiled(Home(folder / "home"), folder / "base"))


async def _spoiled(home: Home, base: Path) -> Spoiled:
    home.folder.mkdir()
    runs = await begun(home, [LEAKED, FEW])
    async with working(home) as house:
        await over(house, 2)
        wanted = TrainingRequested(role="few", pipeline="dpo", base=str(_broken(home, base)))
        await append(house.store, wanted, actor="test")
        await over(house, 3)
        started = (await house.store.read(types=[RunStarted.wire]))[-1].event()
        runs.append(cast(RunStarted, started).run)
    return Spoiled(home, *await true(home, runs))


def _broken(home: Home, place: Path) -> Path:
    """A base that was made here, with weights so large that what is made of them is no number."""
    made = next(home.folder.glob("work/training/jobs/*-begin-*/model"))
    shutil.copytree(made, place)
    (place / "manifest.json").unlink()  # a base of somebody's own has none
    (file,) = place.glob("*.safetensors")
    content = bytearray(file.read_bytes())
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    begins, ends = (8 + size + one for one in header["model.norm.weight"]["data_offsets"])
    content[begins:ends] = struct.pack("<f", 3e38) * ((ends - begins) // 4)
    file.write_bytes(content)
    return place
