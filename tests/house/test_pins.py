"""Whatever pyproject.toml asks for is pinned, and no pin contradicts a bound."""

import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.source import ROOT


def asked_for() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_everything_asked_for_is_pinned_within_its_bounds() -> None:
    pinned = {canonicalize_name(pin.name): str(pin.specifier) for pin in pins()}
    for asked in asked_for():
        pin = pinned.get(canonicalize_name(asked.name), "")
        assert pin.startswith("=="), f"constraints.txt: {asked.name} is not pinned to one version"
        assert asked.specifier.contains(pin.removeprefix("==")), (
            f"constraints.txt: {asked.name}{pin} is outside {asked.specifier} of pyproject.toml"
        )


def test_nothing_is_pinned_twice() -> None:
    names = [canonicalize_name(pin.name) for pin in pins()]
    assert len(names) == len(set(names))
