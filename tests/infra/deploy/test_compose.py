"""The compose file says the same as the manifests, and names nothing that is not there."""

from __future__ import annotations

import re

import pytest

from infra.binary import WHEEL
from tests.infra.deploy.files import (
    DEPLOY,
    compose,
    container,
    known_settings,
    kustomization,
    settings_named,
    workloads,
)

SERVICES = compose()["services"]


def test_networks_volumes_files_and_dependencies_are_there() -> None:
    for name, one in SERVICES.items():
        assert set(one.get("networks", [])) <= compose()["networks"].keys(), name
        assert set(one.get("depends_on", [])) <= SERVICES.keys(), name
        for mount in one.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).is_file(), mount
            else:
                assert source in compose()["volumes"], mount


def test_who_is_waited_for_in_health_can_tell_its_health() -> None:
    for one in SERVICES.values():
        for other, wish in one.get("depends_on", {}).items():
            if wish["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]


def test_what_is_set_is_a_setting() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    assert settings_named(text) >= {"api.host", "store.url", "nats.url", "workers.token"}
    assert settings_named(text) <= known_settings()


def test_compose_and_manifests_run_the_same_images_and_each_is_pinned() -> None:
    ours = {one["name"]: f"{one['newName']}:{one['newTag']}" for one in kustomization()["images"]}
    applied = {container(one)["image"] for one in workloads().values()}
    here = {one["image"] for one in SERVICES.values()}
    assert {ours.get(image, image) for image in applied} == here
    for image in here:
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", image), image


def test_the_server_is_the_one_that_the_tests_run() -> None:
    assert SERVICES["nats-0"]["image"].startswith(f"nats:{WHEEL}")


def test_a_worker_shares_a_network_with_nats_alone_and_only_the_owner_reaches_the_stores() -> None:
    members: dict[str, set[str]] = {}
    for name, one in SERVICES.items():
        for network in one.get("networks", []):
            members.setdefault(network, set()).add(name)
    assert members == {
        "bus": {"nats-0", "nats-1", "nats-2", "ratchet", "worker"},
        "store": {"postgres", "ratchet"},
        "knowledge": {"qdrant", "ratchet"},
        "outside": {"ratchet"},
    }
    for network in ("bus", "store", "knowledge"):
        assert compose()["networks"][network] == {"internal": True}
    assert "RATCHET__STORE__URL" not in SERVICES["worker"].get("environment", {})


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_capability_and_writes_nothing_into_its_image(name: str) -> None:
    one = SERVICES[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in one


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_not_root(name: str) -> None:
    """By its line `user`, or because its image says so."""
    one = SERVICES[name]
    if "user" in one:
        assert int(one["user"].partition(":")[0]) > 0
    else:
        assert one["image"].startswith("ratchet:") or one["image"].endswith("-unprivileged")


def test_new_volumes_of_nats_get_their_owner_from_a_folder_of_the_image() -> None:
    image = (DEPLOY / "Dockerfile").read_text()
    first = dict(one.split(":")[:2] for one in SERVICES["accounts"]["volumes"])
    for number in range(3):
        one = SERVICES[f"nats-{number}"]
        assert "accounts" in one["depends_on"]
        user, _, group = one["user"].partition(":")
        made = re.findall(rf"install -d -o {user} -g {group} -m 0700 (.*?)(?: \\)?\n", image)
        assert first[f"nats-{number}"] in " ".join(made).split()


def test_memory_is_limited_as_in_the_manifests() -> None:
    limits = {
        name: container(one)["resources"]["limits"]["memory"] for name, one in workloads().items()
    }
    for name, one in SERVICES.items():
        if name != "accounts":
            wanted = limits[re.sub(r"-\d$", "", name)]
            assert wanted == one["mem_limit"].upper() + "i", name
    assert SERVICES["accounts"]["mem_limit"]


def test_the_door_is_open_to_this_machine_alone() -> None:
    published = [port for one in SERVICES.values() for port in one.get("ports", [])]
    assert published == ["127.0.0.1:8750:8750"]


def test_the_readme_says_how_to_make_every_password() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", (DEPLOY / "compose.yaml").read_text()))
    told = (DEPLOY / "README.md").read_text()
    assert asked
    for name in asked:
        assert name in told, name
