"""Ports that the system chooses: every component gets one, and none twice."""

from __future__ import annotations

import pytest

from exchange.infra.config import Config, load_config
from exchange.infra.errors import InfraError
from exchange.launch.ports import with_ports


def test_ouch_follows_the_engine_or_has_a_port_of_its_own() -> None:
    by_base = load_config(env={}, overrides={"port_base": 8000})
    assert by_base.ouch_address() == ("127.0.0.1", 8011)
    by_engine = load_config(
        env={}, overrides={"port_base": 8000, "engine.port": 9000, "engine.host": "0.0.0.0"}
    )
    assert by_engine.ouch_address() == ("0.0.0.0", 9010)
    chosen = with_ports(load_config(env={}, overrides={"port_base": 0}))
    assert chosen.ouch_address().port not in (0, chosen.engine_address().port)


def addresses_of(config: Config) -> list[int]:
    return [
        config.engine_address().port,
        config.reporter_address().port,
        config.clearing_address().port,
    ]


def test_with_a_port_base_nothing_changes() -> None:
    config = load_config(env={}, overrides={"port_base": 7000, "clearing.port": 9000})
    assert addresses_of(with_ports(config)) == [7001, 7002, 9000]


def test_without_one_the_system_chooses_what_is_open() -> None:
    config = with_ports(load_config(env={}, overrides={"port_base": 0, "clearing.port": 9000}))
    ports = addresses_of(config)
    assert ports[2] == 9000
    assert 0 not in ports
    assert len(set(ports)) == 3
    assert config.engine_url() == f"http://127.0.0.1:{ports[0]}"


def test_a_host_that_is_not_ours_is_told() -> None:
    with pytest.raises(InfraError, match=r"host '203\.0\.113\.1': no port can be had there"):
        with_ports(load_config(env={}, overrides={"port_base": 0, "host": "203.0.113.1"}))
