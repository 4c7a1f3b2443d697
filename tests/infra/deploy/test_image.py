"""The Dockerfile: what it copies is there, what it installs is what pyproject.toml names."""

from __future__ import annotations

import re
import shlex
import tomllib

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.house.source import FOLDERS
from tests.infra.deploy.files import DEPLOY, ROOT, compose, container, pod, workloads

TEXT = (DEPLOY / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def instructions(name: str) -> list[str]:
    """What stands behind each instruction of this name, continued lines joined."""
    return re.findall(rf"^{name} (.*)$", re.sub(r"\\\n\s*", "", TEXT), re.MULTILINE)


def copied() -> set[str]:
    """What comes from the tree, not from another stage."""
    lines = [shlex.split(line) for line in instructions("COPY") if not line.startswith("--from")]
    return {source for line in lines for source in line[:-1]}


def test_what_is_copied_is_there_and_is_let_through() -> None:
    ignore = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignore
    for source in copied():
        assert (ROOT / source).exists(), source
    let_through = [line[1:] for line in ignore if line.startswith("!")]
    assert set(let_through) == copied()
    for kept_out in ("infra/deploy/.env", "infra/deploy/kubernetes/secrets.yaml"):
        assert ignore.index(kept_out) > ignore.index("!infra")  # the last word counts


def test_every_folder_that_is_packaged_is_copied() -> None:
    packaged = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {one.removesuffix("*") for one in packaged} == set(FOLDERS)
    assert set(FOLDERS) <= copied()
    assert {PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]} <= copied()


def test_the_python_is_pinned_and_is_one_that_the_project_takes() -> None:
    (base,) = {line.split()[0] for line in instructions("FROM")}
    found = re.fullmatch(r"python:(3\.\d+\.\d+)-slim-[a-z]+", base)
    assert found
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(found.group(1))


def test_what_is_installed_is_what_was_pinned() -> None:
    assert "constraints.txt" in copied()
    installs = [line for line in instructions("RUN") if "pip --python" in line]
    assert len(installs) == 1
    commands = [one for one in installs[0].split("&&") if "pip --python" in one]
    assert all("-c constraints.txt" in one and "--only-binary :all:" in one for one in commands)


def test_what_the_owner_and_its_workers_need_is_in_it() -> None:
    """Knowledge, training, and the local embedder: all of its extra, one way or another."""
    extras = PROJECT["project"]["optional-dependencies"]
    (installs,) = [line for line in instructions("RUN") if "pip --python" in line]
    (named,) = re.findall(r"'\.\[([a-z,]+)\]'", installs)
    brought = {
        canonicalize_name(Requirement(one).name)
        for extra in named.split(",")
        for one in extras[extra]
    }
    alone = re.findall(r"--no-deps (\S+)", installs)
    assert {"torch", "qdrant-client"} <= brought
    # tokenizers comes with transformers
    wanted = {canonicalize_name(Requirement(one).name) for one in extras["embed"]}
    assert wanted <= brought | {canonicalize_name(one) for one in alone} | {"tokenizers"}
    pinned = (ROOT / "constraints.txt").read_text()
    assert all(f"\n{one}==" in pinned for one in alone)
    assert "\ntokenizers==" in pinned


def test_no_installer_is_left_in_the_image() -> None:
    last = TEXT.split("\nFROM ")[-1]
    assert "pip uninstall --yes pip" in last
    assert "--without-pip" in TEXT


def test_the_user_is_nobody_special_and_the_same_everywhere() -> None:
    (user,) = instructions("USER")
    number = int(user.split(":")[0])
    assert number > 0
    for name in ("ratchet", "worker"):
        assert pod(workloads()[name])["securityContext"]["runAsUser"] == number
    assert f"useradd --system --uid {number}" in TEXT


def test_it_begins_with_the_command_of_the_project() -> None:
    assert instructions("ENTRYPOINT") == ['["ratchet"]']
    assert "ratchet" in PROJECT["project"]["scripts"]


def test_what_is_written_at_once_appears_whole() -> None:
    (shell, _, line) = compose()["services"]["accounts"]["entrypoint"]
    folder = "/var/lib/nats-accounts"
    assert shell == "sh"
    assert line.endswith(f"> {folder}/made && mv {folder}/made {folder}/accounts.conf")
    assert f"accounts:{folder}" in compose()["services"]["accounts"]["volumes"]
    assert f" {folder} " in TEXT


def test_the_home_lies_on_the_volume() -> None:
    (home,) = re.findall(r"RATCHET_HOME=(\S+)", TEXT)
    (mounted,) = [
        one["mountPath"]
        for one in container(workloads()["ratchet"])["volumeMounts"]
        if one["name"] == "home"
    ]
    assert home.startswith(f"{mounted}/")
    for name in ("ratchet", "accounts"):
        assert f"home:{mounted}" in compose()["services"][name]["volumes"]
