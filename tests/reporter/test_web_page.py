"""The page's files, what its browser may do, and where it finds the components."""

from __future__ import annotations

from pathlib import Path

from aiohttp.test_utils import make_mocked_request

from exchange.infra.config import Config
from exchange.infra.http_routes import Call
from exchange.reporter.web_page import MEDIA, PageConfig, WebPage
from tests.reporter.reporter_stand import Stand, reporter_config


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
        assert "index.html" in page._files
        for path in page._files:
            where = "/" if path == "index.html" else f"/{path}"
            async with stand.http.get(where) as answer:
                assert answer.headers["Content-Type"] == MEDIA[path[path.rindex(".") :]]
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                tag = answer.headers["ETag"]
                assert await answer.read() == page._files[path]
            async with stand.http.get(where, headers={"If-None-Match": tag}) as answer:
                assert (answer.status, await answer.read()) == (304, b"")


def test_files_in_folders_are_served_and_others_than_of_the_web_are_not(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for name in ("index.html", "parts/book.js", "notes.bak", "page.py"):
        (tmp_path / name).write_text("x")
    page = WebPage(reporter_config(tmp_path), tmp_path)
    assert [route.path for route in page.routes()] == ["/config.json", "/", "/parts/book.js"]


async def test_the_page_is_told_addresses_as_its_browser_reaches_them(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        async with stand.http.get("/config.json", headers={"Host": "exchange.example:8002"}) as answer:
            told = await answer.json()
        engine = stand.config.engine_address().port
        assert told["engine"] == f"http://exchange.example:{engine}"
        assert told["reporter"] == "http://exchange.example:8002"
        assert told["stream"] == "ws://exchange.example:8002/api/v1/stream"
        assert (told["name"], told["currency"]) == ("stock-exchange", "USD")


async def test_a_host_that_is_none_is_not_repeated(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        assert "script" not in str(await told_to(stand.config, 'x"; script-src *'))


async def test_configured_addresses_win(tmp_path: Path) -> None:
    told = await told_to(reporter_config(tmp_path, url="https://market.example/"), "inside:8002")
    assert told.reporter == "https://market.example"
    assert told.stream == "wss://market.example/api/v1/stream"


async def told_to(config: Config, host: str) -> PageConfig:
    """Return what a page is told that was reached under a host."""
    request = make_mocked_request("GET", "/config.json", headers={"Host": host})
    body: PageConfig = (await WebPage(config).page_config(Call(request, ""))).body
    return body
