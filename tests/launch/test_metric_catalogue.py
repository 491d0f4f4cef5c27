"""The page of figures and what a running exchange shows are the same."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp

from exchange.infra.config import Config
from exchange.infra.config_sections import BusConfig, ExchangeConfig, RedisConfig
from exchange.launch.metric_catalogue import GROUPS, renewed
from exchange.launch.up import up
from exchange.reporter.cache_app import CacheReporterApp

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|", re.MULTILINE)
NOWHERE = 1
"""A port at which nothing listens."""


def everything(folder: Path) -> Config:
    """Configure all there can be, with servers that are away."""
    return Config(
        exchange=ExchangeConfig(data=str(folder), port_base=0),
        bus=BusConfig(kind="nsq", nsqd=(f"127.0.0.1:{NOWHERE}",)),
        redis=RedisConfig(url=f"redis://127.0.0.1:{NOWHERE}/0"),
    )


async def test_every_figure_that_is_shown_is_on_the_page_and_the_other_way_round(tmp_path: Path) -> None:
    shown: set[tuple[str, str]] = set()
    exchange = await up(everything(tmp_path / "data"))
    copy = CacheReporterApp(everything(tmp_path / "data"))
    await copy.start()
    try:
        addresses = exchange.addresses
        async with aiohttp.ClientSession() as http:
            for url in (addresses.engine, addresses.reporter, addresses.clearing, copy.url):
                async with http.get(f"{url}/metrics") as answer:
                    shown |= set(TYPE.findall(await answer.text()))
    finally:
        await copy.stop()
        await exchange.stop()
    written = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert shown == set(written)


def test_the_tables_of_the_page_are_as_declared() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renewed(page), "run: python -m exchange.launch.metric_catalogue docs/metrics.md"


def test_a_name_means_one_thing_everywhere() -> None:
    meanings: dict[str, set[tuple[str, str, tuple[str, ...]]]] = {}
    for group in GROUPS:
        for family in group.families:
            meanings.setdefault(family.name, set()).add((family.kind, family.text, family.labels))
    assert {name: found for name, found in meanings.items() if len(found) > 1} == {}


def test_every_name_is_ours_and_every_meaning_a_sentence() -> None:
    for group in GROUPS:
        for family in group.families:
            assert re.fullmatch(r"exchange_[a-z_]+", family.name)
            assert family.text.endswith(".")
            assert "|" not in family.text
