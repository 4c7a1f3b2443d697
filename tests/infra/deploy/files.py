"""The files of infra/deploy, read as what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

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
    """The Secrets of the template, with their keys."""
    found = documents("kubernetes/secrets.template.yaml")
    return {one["metadata"]["name"]: set(one["stringData"]) for one in found}


def documents(name: str) -> list[Document]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def of_kind(*kinds: str) -> dict[str, Document]:
    """The manifests of these kinds, by name."""
    return {one["metadata"]["name"]: one for one in manifests() if one["kind"] in kinds}


def workloads() -> dict[str, Document]:
    return of_kind("StatefulSet", "Deployment")


def pod(workload: Document) -> Document:
    found = workload["spec"]["template"]["spec"]
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
    found = Settings().model_dump()
    return {f"{section}.{key}" for section, values in found.items() for key in values}
