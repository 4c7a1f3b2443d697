"""The files of infra/deploy, read as what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from infra.settings import PREFIX, Settings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "infra" / "deploy"

Document = dict[str, Any]


@cache
def compose() -> Document:
    found = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert isinstance(found, dict)
    return found


@cache
def kustomization() -> Document:
    found = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
    assert isinstance(found, dict)
    return found


@cache
def manifests() -> tuple[Document, ...]:
    """All that the kustomization brings."""
    return tuple(one for name in kustomization()["resources"] for one in documents(name))


def secrets() -> dict[str, set[str]]:
    """The Secrets of the template, and those that the README has made; with their keys."""
    found = documents("kubernetes/secrets.template.yaml")
    made = re.findall(r"create secret generic (\S+) --from-file=(\S+)", readme())
    told = {one["metadata"]["name"]: set(one["stringData"]) for one in found}
    assert told.keys().isdisjoint(name for name, _ in made)
    return told | {name: {key} for name, key in made}


def documents(name: str) -> list[Document]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def of_kind(*kinds: str) -> dict[str, Document]:
    """The manifests of these kinds, by name."""
    return {one["metadata"]["name"]: one for one in manifests() if one["kind"] in kinds}


def workloads() -> dict[str, Document]:
    return of_kind("StatefulSet", "Deployment")


def everyone() -> dict[str, Document]:
    """The workloads, and the pod that is applied by hand."""
    (holder,) = (one for one in documents("kubernetes/holder.yaml") if one["kind"] == "Pod")
    return workloads() | {"holder": holder}


def pod(workload: Document) -> Document:
    spec = workload["spec"]
    found = spec["template"]["spec"] if "template" in spec else spec
    assert isinstance(found, dict)
    return found


def container(workload: Document) -> Document:
    (only,) = pod(workload)["containers"]
    assert isinstance(only, dict)
    return only


def everything(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from everything(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from everything(inner)


def settings_named(text: str) -> set[str]:
    """The settings whose environment variables stand in a text, with dots."""
    names = re.findall(rf"\b{PREFIX}([A-Z0-9_]+)\b", text)
    return {name.lower().replace("__", ".") for name in names}


def known_settings() -> set[str]:
    """By their whole names, however deep."""

    def flat(values: Mapping[str, Any], before: str) -> Iterator[str]:
        for key, value in values.items():
            yield f"{before}{key}"
            if isinstance(value, Mapping):
                yield from flat(value, f"{before}{key}.")

    return set(flat(Settings().model_dump(), ""))


def image() -> dict[str, str]:
    """The variables of ours that the image sets."""
    return dict(re.findall(r"(RATCHET\w*)=(\S+)", (DEPLOY / "Dockerfile").read_text()))


def readme() -> str:
    return (DEPLOY / "README.md").read_text()


class Start(NamedTuple):
    """How a file has a program of ours started."""

    words: list[str]
    """Behind `ratchet`."""
    environment: dict[str, str]


def by_compose(name: str, passwords: dict[str, str]) -> Start:
    """What Compose makes of a service; a password that is not known is an error."""
    one = compose()["services"][name]
    given = {
        key: re.sub(r"\$\{(\w+)(:[?-][^}]*)?\}", lambda found: passwords[found[1]], value)
        for key, value in one["environment"].items()
    }
    return Start(one.get("command", []), given)


def by_kubernetes(name: str, passwords: dict[str, str]) -> Start:
    """What Kubernetes makes of a container; its passwords have the names `secret/key`."""
    inside, known = container(workloads()[name]), dict[str, str]()
    for one in inside["env"]:
        if "valueFrom" in one:
            place = one["valueFrom"]["secretKeyRef"]
            value = passwords[f"{place['name']}/{place['key']}"]
        else:
            value = re.sub(r"\$\((\w+)\)", lambda found: known[found[1]], one["value"])
        known[one["name"]] = value
    return Start(inside["args"], known)
