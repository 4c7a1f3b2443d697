"""Programs that mean harm: none gets out, none hangs, and each is told apart by how it ended."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.trainers.sandbox.grounds import KINDS, raised, surroundings, traces
from tests.trainers.sandbox.hostile import Hostile
from tests.trainers.sandbox.reaching import REACHING
from tests.trainers.sandbox.weighing import WEIGHING
from trainers.sandbox.interpreter import this_interpreter
from trainers.sandbox.plan import Walls
from trainers.sandbox.sandbox import Ran, Sandbox, sandbox

pytestmark = pytest.mark.usefixtures("walls_hold")

BITING = {one.name: one for one in REACHING if one.bites}
LIMIT = 32768
REACHED, WEIGHED = ({one.name: one for one in group} for group in (REACHING, WEIGHING))


def all_of(programs: dict[str, Hostile], walls: Walls, folder: Path) -> dict[str, Ran]:
    """Each of them, a few at a time; nothing outside has changed when they are through."""
    box = Sandbox(walls)

    def result(one: Hostile) -> Ran:
        seconds = 0.25 if "timeout" in one.ends else 20
        return box.run(one.program, stdin=given, seconds=seconds, output=LIMIT)

    with surroundings(folder) as given, ThreadPoolExecutor(4) as pool:
        found = dict(zip(programs, pool.map(result, programs.values()), strict=True))
    assert traces() == []
    return found


def held(ran: Ran, one: Hostile) -> None:
    assert "ESCAPED" not in ran.out
    assert ran.ended in one.ends, ran
    assert not one.comes_through or ran.out.endswith("done\n"), ran
    assert len(ran.out) <= LIMIT
    assert len(ran.err) <= LIMIT
    assert ran.seconds < 15


@pytest.fixture(scope="module", params=KINDS)
def reached(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Ran]:
    return all_of(REACHED, raised(request.param), tmp_path_factory.mktemp("surroundings"))


@pytest.fixture(scope="module")
def weighed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    return all_of(WEIGHED, sandbox().walls, tmp_path_factory.mktemp("surroundings"))


@pytest.mark.parametrize("name", REACHED)
def test_who_goes_for_what_is_outside_gets_nothing(name: str, reached: dict[str, Ran]) -> None:
    held(reached[name], REACHED[name])


@pytest.mark.parametrize("name", WEIGHED)
def test_who_goes_for_time_and_room_is_ended(name: str, weighed: dict[str, Ran]) -> None:
    held(weighed[name], WEIGHED[name])


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_walls_ends_them_again_and_again(kind: str, tmp_path: Path) -> None:
    walls = raised(kind)
    for number in range(5):
        (tmp_path / str(number)).mkdir()
        for name, ran in all_of(WEIGHED, walls, tmp_path / str(number)).items():
            held(ran, WEIGHED[name])


@pytest.mark.parametrize("name", BITING)
def test_the_same_program_gets_what_it_wants_where_nothing_holds_it(
    name: str, tmp_path: Path
) -> None:
    python = this_interpreter().python
    (tmp_path / "here").mkdir()
    (tmp_path / "outside").mkdir()
    with surroundings(tmp_path / "outside") as given:
        free = subprocess.run(
            [python, "-I", "-S", "-c", BITING[name].program],
            input=given,
            env={},
            cwd=tmp_path / "here",
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert "ESCAPED" in free.stdout, free


def test_there_are_more_than_sixty_and_many_bite() -> None:
    assert len(REACHED) + len(WEIGHED) > 60
    assert 3 * len(BITING) > len(REACHED)
