"""The configured thresholds are those of the detectors, and nothing runs where surveillance is off."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import get_args

import msgspec
import pytest

from exchange.clearing.surveillance.office import open_surveillance, settings_of
from exchange.domain.directory import Directory
from exchange.infra.clock import SystemClock
from exchange.infra.config import Config, ConfigError, load_config
from exchange.infra.surveillance_config import SurveillanceConfig
from exchange.surveillance.settings import Settings
from exchange.surveillance.watcher import DETECTORS
from exchange.wire.rest.surveillance import DetectorText
from tests.clearing.fake_engine import StreamSource
from tests.post_trade.stream import Stream


def test_the_defaults_of_the_configuration_are_those_of_the_detectors() -> None:
    assert settings_of(SurveillanceConfig()) == Settings()


def test_rest_knows_the_code_of_every_detector() -> None:
    assert set(get_args(DetectorText)) == {"", *(kind.CODE for kind in DETECTORS.values())}


def test_a_threshold_of_the_configuration_reaches_its_detector() -> None:
    config = load_config(env={"EXCHANGE__SURVEILLANCE__SPOOFING__EPISODES": "7"})
    assert settings_of(config.surveillance).spoofing.episodes == 7
    with pytest.raises(ConfigError, match="episodes"):
        load_config(env={"EXCHANGE__SURVEILLANCE__SPOOFING__EPISODES": "0"})


def test_alerts_lie_beside_clearings_books_or_in_its_postgresql() -> None:
    assert Config().surveillance_store_url().endswith("clearing/surveillance.sqlite")
    url = "postgresql+psycopg://u:p@host/name"
    config = load_config(env={"EXCHANGE__CLEARING__STORE_URL": url})
    assert config.surveillance_store_url() == url


async def test_where_it_is_off_there_are_no_routes_and_no_store() -> None:
    config = msgspec.structs.replace(Config(), surveillance=SurveillanceConfig(enabled=False))
    async with AsyncExitStack() as stack:
        office = await open_surveillance(
            stack, config, StreamSource(Stream()), None, Directory(), SystemClock()
        )
        assert (office.routes(), list(office.metrics()), office.notes(), office.lookout) == ([], [], [], None)
