"""The page's files, what its browser may do, and where it finds the components."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from aiohttp.test_utils import make_mocked_request

from benchmarks.terminal import first_view, gzipped_bytes
from exchange.infra.config import Config
from exchange.infra.http_routes import Call
from exchange.infra.schedule_config import ScheduleConfig
from exchange.reporter.web_page import MEDIA, PageConfig, WebPage
from tests.reporter.reporter_stand import Stand, reporter_config

BUILT = Path(str(files("exchange.reporter"))) / "static" / "index.html"
FIRST_VIEW_GZIP_BYTES_MAX = 120 * 1024
"""Of all that the browser fetches until the market is shown, its chart included."""
TERMINAL_GZIP_BYTES_MAX = 160 * 1024
"""Of every view together."""


async def test_the_page_is_served_with_a_policy_that_allows_the_components_only(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand, stand.http.get("/") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self'; connect-src 'self' http://127.0.0.1:")
        assert "ws://127.0.0.1:" in policy
        assert "unsafe" not in policy
        assert b"<!doctype html>" in (await answer.read()).lower()


async def test_every_file_of_the_page_has_its_type_and_is_not_sent_twice(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        page = WebPage(stand.config)
        assert {"index.html", "plain/index.html", "plain/app.js"} <= page._files.keys()
        for path in page._files:
            where = f"/{path.removesuffix('index.html')}"
            async with stand.http.get(where) as answer:
                assert answer.headers["Content-Type"] == MEDIA[path[path.rindex(".") :]]
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                tag = answer.headers["ETag"]
                assert await answer.read() == page._files[path]
            async with stand.http.get(where, headers={"If-None-Match": tag}) as answer:
                assert (answer.status, await answer.read()) == (304, b"")


def test_files_in_folders_are_served_and_others_than_of_the_web_are_not(tmp_path: Path) -> None:
    plain, built = tmp_path / "plain", tmp_path / "built"
    write(plain, "index.html", "app.js")
    write(built, "index.html", "parts/book.js", "notes.bak", "page.py")
    page = WebPage(reporter_config(tmp_path), plain, built)
    paths = [route.path for route in page.routes()]
    assert paths == ["/config.json", "/", "/parts/book.js", "/plain/app.js", "/plain/"]


def test_the_terminal_is_the_page_where_it_was_built_and_the_plain_one_stays_beside_it(
    tmp_path: Path,
) -> None:
    plain, built = tmp_path / "plain", tmp_path / "built"
    write(plain, "index.html")
    write(built, "index.html")
    served = WebPage(reporter_config(tmp_path), plain, built)._files
    assert (served["index.html"], served["plain/index.html"]) == (b"built index.html", b"plain index.html")


def test_without_a_built_terminal_the_plain_page_is_the_page(tmp_path: Path) -> None:
    plain, built = tmp_path / "plain", tmp_path / "built"
    write(plain, "index.html", "app.js")
    for _ in ("nothing there", "a build that was broken off"):
        served = WebPage(reporter_config(tmp_path), plain, built)._files
        assert served["index.html"] == served["plain/index.html"] == b"plain index.html"
        assert "app.js" in served
        write(built, "assets/terminal.js")


@pytest.mark.skipif(
    not BUILT.is_file(), reason="the terminal was not built: make setup with Node.js 20.19 or newer"
)
def test_the_terminal_is_small_and_asks_nobody_else() -> None:
    parts = [path for path in BUILT.parent.rglob("*") if path.suffix in {".html", ".js", ".css", ".svg"}]
    assert gzipped_bytes(parts) <= TERMINAL_GZIP_BYTES_MAX
    first = first_view(BUILT.parent)
    assert "ClearingView.js" not in {path.name for path in first}, "offices' views come later"
    assert gzipped_bytes(first) <= FIRST_VIEW_GZIP_BYTES_MAX
    asked = {
        found
        for path in parts
        for found in re.findall(r'(?:src|href|url\()=?"?(https?:[^"]+)', path.read_text())
    }
    assert asked <= {"https://www.tradingview.com/"}  # a link of the footer, which its licence asks for


def write(folder: Path, *names: str) -> None:
    """Write files that say where they are from."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{folder.name} {name}")


async def test_the_page_is_told_addresses_as_its_browser_reaches_them(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        async with stand.http.get("/config.json", headers={"Host": "exchange.example:8002"}) as answer:
            told = await answer.json()
        engine = stand.config.engine_address().port
        assert told["engine"] == f"http://exchange.example:{engine}"
        assert told["reporter"] == "http://exchange.example:8002"
        assert told["stream"] == "ws://exchange.example:8002/api/v1/stream"
        assert (told["name"], told["currency"]) == ("stock-exchange", "USD")
        assert told["intervals"] == list(stand.config.reporter.candle_intervals)


async def test_a_host_that_is_none_is_not_repeated(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        assert "script" not in str(await told_to(stand.config, 'x"; script-src *'))


async def test_configured_addresses_win(tmp_path: Path) -> None:
    told = await told_to(reporter_config(tmp_path, url="https://market.example/"), "inside:8002")
    assert told.reporter == "https://market.example"
    assert told.stream == "wss://market.example/api/v1/stream"


async def test_the_time_zone_is_that_of_the_schedule_or_utc(tmp_path: Path) -> None:
    config = reporter_config(tmp_path)
    assert (await told_to(config, "inside:8002")).time_zone == "UTC"
    schedule = ScheduleConfig(enabled=True, time_zone="Europe/Berlin")
    engine = msgspec.structs.replace(config.engine, schedule=schedule)
    zoned = msgspec.structs.replace(config, engine=engine)
    assert (await told_to(zoned, "inside:8002")).time_zone == "Europe/Berlin"


async def told_to(config: Config, host: str) -> PageConfig:
    """Return what a page is told that was reached under a host."""
    request = make_mocked_request("GET", "/config.json", headers={"Host": host})
    body: PageConfig = (await WebPage(config).page_config(Call(request, ""))).body
    return body
