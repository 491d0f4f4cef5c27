"""compose.yaml, read without docker: pinned images, bounds for all, and only settings that the product has."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exchange.infra.config import load_config

ROOT = Path(__file__).parents[2]
COMPONENTS = ("engine", "clearing", "reporter")
OWN = {*COMPONENTS, "traders", "exchange"}
ONE_SHOT = {"exchange"}
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def read(**given: str) -> dict[str, Any]:
    """Read the file as Compose does: every variable as given, else its default."""
    text = (ROOT / "compose.yaml").read_text()
    found: dict[str, Any] = yaml.safe_load(VARIABLE.sub(lambda match: given.get(match[1], match[2]), text))
    assert "${" not in str(found), "every variable has a default, so that nothing needs to be prepared"
    return found


SERVICES = read()["services"]


def test_images_are_pinned_and_those_the_dockerfile_begins_with_too() -> None:
    images = {name: service["image"] for name, service in SERVICES.items()}
    images |= {
        line: line.split()[1]
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("FROM ") and line.split()[1] not in ("tools", "native")
    }
    for where, image in images.items():
        name, _, tag = image.rpartition(":")
        assert name, where
        assert tag != "latest", where
    assert {images[name] for name in OWN} == {"stock-exchange:local"}
    assert images["redis"] == "redis:7.0"
    assert images["postgres"] == "postgres:15"
    assert {images[name] for name in ("nsqd", "nsqlookupd", "nsqadmin")} == {"nsqio/nsq:v1.3.0"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded_restarted_and_watched(name: str) -> None:
    service = SERVICES[name]
    if name in ONE_SHOT:
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert service["cpus"]
    if name in OWN:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    else:
        assert service["healthcheck"]["test"]


def test_services_wait_for_healthy_ones_in_the_order_of_the_documents() -> None:
    order = {
        name: set(service.get("depends_on", ()))
        for name, service in SERVICES.items()
        if "profiles" not in service
    }
    assert order == {
        "redis": set(),
        "postgres": set(),
        "nsqlookupd": set(),
        "nsqd": {"nsqlookupd"},
        "nsqadmin": {"nsqlookupd"},
        "engine": {"redis", "postgres", "nsqd"},
        "clearing": {"engine"},
        "reporter": {"clearing"},
        "traders": {"reporter"},
    }
    for service in SERVICES.values():
        for needed in service.get("depends_on", {}).values():
            assert needed == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", sorted(OWN))
def test_the_product_takes_every_setting_and_means_what_the_file_means(name: str) -> None:
    config = load_config(env={key: str(value) for key, value in SERVICES[name]["environment"].items()})
    assert (config.bus.kind, config.bus.nsqd, config.bus.nsqlookupd) == (
        "nsq", ("nsqd:4150",), ("http://nsqlookupd:4161",),
    )  # fmt: skip
    assert config.redis.url == "redis://:exchange@redis:6379/0"
    if name in ("clearing", "reporter"):
        assert config.engine_url_for(name) == "http://engine:8001"  # type: ignore[arg-type]
        assert config.key_file_for(name) == Path("/keys/keys.json")
        assert config.store_url_for(name).startswith("postgresql+psycopg://")  # type: ignore[arg-type]


def test_ports_can_be_moved_and_are_the_same_inside_and_outside() -> None:
    given = {"ENGINE_PORT": "9101", "REPORTER_PORT": "9202", "CLEARING_PORT": "9303"}
    services = read(**given)["services"]
    for name, port in zip(("engine", "reporter", "clearing"), given.values(), strict=True):
        assert services[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
        config = load_config(
            env={key: str(value) for key, value in services["clearing"]["environment"].items()}
        )
        address = {
            "engine": config.engine_address,
            "reporter": config.reporter_address,
            "clearing": config.clearing_address,
        }[name]()
        assert address.port == int(port)
    assert config.engine_url_for("clearing") == "http://engine:9101"
    assert config.reporter_url_for_clearing() == "http://reporter:9202"


def test_nothing_is_open_to_other_machines_unless_it_is_said() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name
    opened = read(BIND_ADDRESS="0.0.0.0")["services"]
    assert {
        name for name in opened if any("0.0.0.0" in port for port in opened[name].get("ports", ()))
    } == set(COMPONENTS)


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_from_the_project_is_there(name: str) -> None:
    service = SERVICES[name]
    if service.get("profiles") == ["monitoring"] and not (ROOT / "deploy" / "prometheus").exists():
        pytest.skip("this tree has no deploy/prometheus")
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (ROOT / source).exists(), source
        else:
            assert source in read()["volumes"], source


def test_the_builder_is_sent_what_the_dockerfile_copies_and_little_else() -> None:
    copied = [
        word.rstrip("/")
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    sent = [line[1:] for line in ignored if line.startswith("!")]
    for path in copied:
        assert os.path.exists(ROOT / path), path
        assert any(path == each or path.startswith(each + "/") for each in sent), path
