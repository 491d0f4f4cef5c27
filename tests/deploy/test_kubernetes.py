"""The Kubernetes manifests: valid for the API, whole in themselves, and only settings that the product has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate import validate

from exchange.infra.config import Config, load_config

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
API = "1.37"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
RESOURCES: list[dict[str, Any]] = [
    resource
    for file in KUSTOMIZATION["resources"]
    for resource in yaml.safe_load_all((FOLDER / file).read_text())
]
WORKLOADS = [resource for resource in RESOURCES if resource["kind"] in ("Deployment", "StatefulSet")]
COMPONENTS = ("engine", "clearing", "reporter")
SECRET_KEYS = {"component-key", "postgres-password", "redis-password"}


def name_of(resource: dict[str, Any]) -> str:
    return f"{resource['kind']} {resource['metadata']['name']}"


def containers() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield (name of the workload, its pod, its container)."""
    for workload in WORKLOADS:
        pod = workload["spec"]["template"]["spec"]
        for container in pod["containers"]:
            yield workload["metadata"]["name"], pod, container


def config_of(component: str, folder: Path) -> Config:
    """Read the configuration as the component's container does: the mounted file, then its environment."""
    (mounted,) = [resource for resource in RESOURCES if resource["kind"] == "ConfigMap"]
    file = folder / "exchange.toml"
    file.write_text(mounted["data"]["exchange.toml"])
    (container,) = [container for name, _, container in containers() if name == component]
    env = {each["name"]: each.get("value", "secret" * 8) for each in container["env"]}
    return load_config(file, env)


@pytest.mark.parametrize("resource", RESOURCES, ids=name_of)
def test_the_api_takes_every_resource(resource: dict[str, Any]) -> None:
    validate(resource, API, strict=True)


def test_a_mistake_would_be_found() -> None:
    broken = {**WORKLOADS[0], "spec": {**WORKLOADS[0]["spec"], "replicas": "one"}}
    with pytest.raises(Exception, match="'one' is not of type"):
        validate(broken, API, strict=True)


def test_every_file_is_listed() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} == {
        *KUSTOMIZATION["resources"],
        "kustomization.yaml",
    }


def test_services_find_their_pods_and_ports() -> None:
    pods = {workload["metadata"]["name"]: workload["spec"]["template"] for workload in WORKLOADS}
    services = [resource for resource in RESOURCES if resource["kind"] == "Service"]
    assert {service["metadata"]["name"] for service in services} == set(pods)
    for service in services:
        pod = pods[service["metadata"]["name"]]
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        offered = {port["name"] for each in pod["spec"]["containers"] for port in each["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= offered


def test_selectors_match_the_pods_they_manage() -> None:
    for workload in WORKLOADS:
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert workload["spec"]["selector"]["matchLabels"].items() <= labels.items(), name_of(workload)


@pytest.mark.parametrize(
    ("name", "pod", "container"), list(containers()), ids=[each[0] for each in containers()]
)
def test_every_container_is_confined_bounded_and_probed(
    name: str, pod: dict[str, Any], container: dict[str, Any]
) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert {"readinessProbe", "livenessProbe"} <= container.keys()
    mounted = {volume["name"] for volume in pod.get("volumes", ())}
    (workload,) = [each for each in WORKLOADS if each["metadata"]["name"] == name]
    mounted |= {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", ())}
    assert {mount["name"] for mount in container.get("volumeMounts", ())} == mounted


def test_secrets_are_named_never_written() -> None:
    assert not [resource for resource in RESOURCES if resource["kind"] == "Secret"]
    named = {
        (each["valueFrom"]["secretKeyRef"]["name"], each["valueFrom"]["secretKeyRef"]["key"])
        for _, _, container in containers()
        for each in container.get("env", ())
        if "valueFrom" in each
    }
    assert named == {("exchange", key) for key in SECRET_KEYS}


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_product_takes_every_setting(component: str, tmp_path: Path) -> None:
    config = config_of(component, tmp_path)
    ports = {
        "engine": config.engine_address(),
        "clearing": config.clearing_address(),
        "reporter": config.reporter_address(),
    }
    (container,) = [container for name, _, container in containers() if name == component]
    assert container["ports"] == [{"name": "http", "containerPort": ports[component].port}]
    assert ports[component].host == "0.0.0.0"
    assert config.bus.kind == "nsq"
    assert config.redis.url.endswith("@redis:6379/0")
    if component != "engine":
        assert config.engine_url_for(component) == "http://engine:8001"  # type: ignore[arg-type]
        assert config.store_url_for(component).startswith("postgresql+psycopg://")  # type: ignore[arg-type]


def test_images_are_those_of_compose_and_kustomize_says_where_ours_lies() -> None:
    compose = yaml.safe_load((FOLDER.parents[1] / "compose.yaml").read_text())["services"]
    for name, _, container in containers():
        if name in COMPONENTS:
            assert container["image"] == KUSTOMIZATION["images"][0]["name"]
        else:
            assert container["image"] == compose[name]["image"]
