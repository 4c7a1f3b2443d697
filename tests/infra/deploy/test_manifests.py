"""The Kubernetes manifests: what they name is there, and nobody gets more than is needed."""

from __future__ import annotations

import re

import pytest

from infra.cli.running import DEADLINE
from infra.settings import Api
from tests.infra.deploy.files import (
    DEPLOY,
    Document,
    compose,
    container,
    documents,
    everyone,
    everything,
    known_settings,
    kustomization,
    manifests,
    of_kind,
    pod,
    secrets,
    settings_named,
    workloads,
)


def port_of(policy: Document) -> set[int]:
    """The ports that a policy lets in."""
    rules = policy["spec"].get("ingress", [])
    return {one["port"] for rule in rules for one in rule["ports"]}


def test_every_file_of_the_folder_is_applied_or_a_template() -> None:
    there = {f"kubernetes/{file.name}" for file in (DEPLOY / "kubernetes").glob("*.yaml")}
    there.discard("kubernetes/secrets.yaml")  # somebody's own, which git ignores
    by_hand = {"kubernetes/secrets.template.yaml", "kubernetes/holder.yaml"}
    assert there == {*kustomization()["resources"], *by_hand}


def test_every_secret_and_config_map_that_is_used_is_made_somewhere() -> None:
    made = secrets()
    configs = {one["name"]: one["files"] for one in kustomization()["configMapGenerator"]}
    used = 0
    for key, value in everything([*manifests(), everyone()["holder"]]):
        if key == "secretKeyRef":
            assert value["key"] in made[value["name"]]
            used += 1
        elif key == "secret":
            assert value["secretName"] in made
            used += 1
        elif key == "configMap":
            assert value["name"] in configs
            used += 1
    assert used >= 10
    for files in configs.values():
        for file in files:
            assert (DEPLOY / file).is_file(), file


def test_the_template_of_secrets_holds_no_secret() -> None:
    text = (DEPLOY / "kubernetes" / "secrets.template.yaml").read_text()
    values = re.findall(r"^  [a-z.-]+: (.*)$", text.split("stringData", 1)[1], re.MULTILINE)
    assert {value for value in values if value not in ("ratchet", *secrets())} == {'""'}
    assert not [one for one in manifests() if one["kind"] == "Secret"]


def test_every_stateful_set_has_its_service() -> None:
    services = of_kind("Service")
    for name, one in of_kind("StatefulSet").items():
        assert one["spec"]["serviceName"] in services, name


def test_services_budgets_and_policies_choose_pods_that_there_are() -> None:
    apps = {one["spec"]["template"]["metadata"]["labels"]["app"] for one in workloads().values()}
    chosen = [one["spec"]["selector"] for one in of_kind("Service").values()]
    for one in manifests():
        if one["kind"] in ("PodDisruptionBudget", "StatefulSet", "Deployment"):
            chosen.append(one["spec"]["selector"]["matchLabels"])
        if one["kind"] == "NetworkPolicy" and one["spec"]["podSelector"]:
            chosen.append(one["spec"]["podSelector"]["matchLabels"])
    assert len(chosen) >= 17
    assert {one["app"] for one in chosen} == apps


def test_ports_agree_from_the_service_to_the_process() -> None:
    by_app = {one["metadata"]["labels"]["app"]: container(one) for one in workloads().values()}
    for service in of_kind("Service").values():
        declared = {
            one["name"]: one["containerPort"]
            for one in by_app[service["spec"]["selector"]["app"]]["ports"]
        }
        for port in service["spec"]["ports"]:
            assert declared[port["targetPort"]] == port["port"]
    ratchet = by_app["ratchet"]
    assert ratchet["ports"] == [{"name": "http", "containerPort": Api().port}]
    values = {one["name"]: one.get("value") for one in ratchet["env"]}
    assert values["RATCHET__API__PORT"] == str(Api().port)
    assert values["RATCHET__API__HOST"] == "0.0.0.0"


def test_probes_name_ports_that_there_are() -> None:
    probes = 0
    for one in workloads().values():
        inside = container(one)
        names = {port["name"] for port in inside.get("ports", [])}
        for key in ("startupProbe", "readinessProbe", "livenessProbe"):
            if "httpGet" in inside.get(key, {}):
                assert inside[key]["httpGet"]["port"] in names
                probes += 1
    assert probes >= 8


def test_urls_lead_to_services_and_their_ports() -> None:
    listening = {
        (name, port["port"])
        for name, one in of_kind("Service").items()
        for port in one["spec"]["ports"]
    }
    text = " ".join(
        one.get("value", "")
        for name in ("ratchet", "worker", "holder")
        for one in container(everyone()[name])["env"]
    )
    urls = re.findall(r"(?:nats|postgres)://(?:\S+@)?([a-z-]+):(\d+)", text)
    assert len(urls) == 4
    assert {(host, int(port)) for host, port in urls} <= listening
    routes = re.findall(
        r"@(\S+?)\.([a-z-]+):(\d+)", " ".join(container(workloads()["nats"])["args"])
    )
    assert [pod_name for pod_name, _, _ in routes] == ["nats-0", "nats-1", "nats-2"]
    assert {(host, int(port)) for _, host, port in routes} <= listening


def test_what_is_set_is_a_setting() -> None:
    text = "".join(file.read_text() for file in (DEPLOY / "kubernetes").glob("*.yaml"))
    assert settings_named(text) >= {"api.host", "store.url", "nats.url", "workers.token"}
    assert settings_named(text) <= known_settings()


def test_variables_that_are_put_together_are_defined_before_they_are_used() -> None:
    for one in everyone().values():
        inside, known = container(one), set[str]()
        for variable in inside.get("env", []):
            assert set(re.findall(r"\$\((\w+)\)", variable.get("value", ""))) <= known
            known.add(variable["name"])
        used = re.findall(r"\$\((\w+)\)", " ".join(inside.get("args", [])))
        assert set(used) <= known


@pytest.mark.parametrize("name", everyone())
def test_a_pod_is_no_root_writes_nothing_into_its_image_and_has_limits(name: str) -> None:
    one = pod(everyone()[name])
    outer, inner = one["securityContext"], container(everyone()[name])["securityContext"]
    assert one["automountServiceAccountToken"] is False
    assert one["enableServiceLinks"] is False
    assert outer["runAsNonRoot"] is True
    assert outer["runAsUser"] > 0
    assert outer["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inner["allowPrivilegeEscalation"] is False
    assert inner["readOnlyRootFilesystem"] is True
    assert inner["capabilities"] == {"drop": ["ALL"]}
    resources = container(everyone()[name])["resources"]
    assert {"cpu", "memory"} <= resources["requests"].keys()
    assert "memory" in resources["limits"]


@pytest.mark.parametrize("name", everyone())
def test_what_is_mounted_is_a_volume(name: str) -> None:
    spec = everyone()[name]["spec"]
    volumes = {one["name"] for one in pod(everyone()[name])["volumes"]}
    volumes |= {one["metadata"]["name"] for one in spec.get("volumeClaimTemplates", [])}
    assert {one["name"] for one in container(everyone()[name])["volumeMounts"]} == volumes


def test_the_holder_stands_where_the_owner_will() -> None:
    claim, holder = documents("kubernetes/holder.yaml")
    owner = workloads()["ratchet"]
    (wanted,) = owner["spec"]["volumeClaimTemplates"]
    assert claim["spec"] == wanted["spec"]
    assert claim["metadata"]["name"] == f"{wanted['metadata']['name']}-ratchet-0"
    assert (
        holder["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
        == (claim["metadata"]["name"])
    )
    assert container(holder)["volumeMounts"] == container(owner)["volumeMounts"]
    assert pod(holder)["securityContext"] == pod(owner)["securityContext"]
    assert holder["metadata"]["labels"] == owner["metadata"]["labels"]
    assert [one for one in container(holder)["env"] if one in container(owner)["env"]] == (
        container(holder)["env"]
    )
    (ours,) = kustomization()["images"]
    assert container(holder)["image"] == f"{ours['newName']}:{ours['newTag']}"


def test_a_worker_reaches_nats_alone_and_holds_only_its_token() -> None:
    assert "postgres" not in str(workloads()["worker"])
    used = [v for k, v in everything(workloads()["worker"]) if k == "secretKeyRef"]
    assert used == [{"name": "worker", "key": "token"}]
    policies = of_kind("NetworkPolicy")
    assert policies["nobody-to-nobody"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    (rule,) = policies["worker"]["spec"]["egress"]
    assert rule["to"] == [{"podSelector": {"matchLabels": {"app": "nats"}}}]
    assert "ingress" not in policies["worker"]["spec"]


@pytest.mark.parametrize("name", ["postgres", "qdrant"])
def test_only_the_owner_reaches_what_is_kept(name: str) -> None:
    (rule,) = of_kind("NetworkPolicy")[name]["spec"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app": "ratchet"}}}]


def test_policies_open_the_ports_on_which_somebody_listens() -> None:
    for app in ("nats", "postgres", "qdrant", "ratchet"):
        listening = {one["containerPort"] for one in container(workloads()[app])["ports"]}
        assert port_of(of_kind("NetworkPolicy")[app]) <= listening


def test_three_servers_of_which_one_may_be_away() -> None:
    assert workloads()["nats"]["spec"]["replicas"] == 3
    assert of_kind("PodDisruptionBudget")["nats"]["spec"]["maxUnavailable"] == 1
    (spread,) = pod(workloads()["nats"])["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert (spread["maxSkew"], spread["whenUnsatisfiable"]) == (1, "DoNotSchedule")
    assert spread["labelSelector"]["matchLabels"] == {"app": "nats"}


def test_a_home_has_one_owner() -> None:
    assert workloads()["ratchet"]["spec"]["replicas"] == 1
    assert kustomization()["replicas"] == [{"name": "ratchet", "count": 1}]
    assert workloads()["ratchet"]["kind"] == "StatefulSet"  # never two at once, also in an update


@pytest.mark.parametrize("name", ["ratchet", "worker"])
def test_who_is_asked_to_end_has_the_time_for_it(name: str) -> None:
    assert pod(workloads()[name])["terminationGracePeriodSeconds"] >= 2 * DEADLINE
    grace = compose()["services"][name]["stop_grace_period"]
    assert int(grace.removesuffix("s")) >= 2 * DEADLINE
