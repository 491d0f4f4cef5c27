"""The web pages: the terminal where it was built, the plain page always, and where they find the components."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from urllib.parse import urlsplit

import msgspec

from exchange import __version__
from exchange.infra.config import Address, Config, url_of
from exchange.infra.http_routes import Call, Reply, Route
from exchange.reporter.stream_api import STREAM_PATH

INDEX = "index.html"
PLAIN = "plain/"
"""Where the plain page is, whether or not there is a terminal."""
FILE_BYTES_MAX = 8 << 20
MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_HOST = re.compile(r"(?:[A-Za-z0-9.\-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?\Z", re.ASCII)
_PORT = re.compile(r":\d+$", re.ASCII)
_HERE = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "")


class PageConfig(msgspec.Struct, kw_only=True):
    """What the page needs to know: where the components are, as its browser reaches them.

    time_zone: the market's, of the schedule; UTC where there is none. intervals: of the candles that are kept.
    """

    name: str
    version: str
    currency: str
    engine: str
    reporter: str
    clearing: str
    stream: str
    time_zone: str
    intervals: list[str]


class WebPage:
    """Serves the pages, as their files are when the reporter starts.

    plain: the folder of the page that needs no build; built: that of the terminal, which may be missing.
    """

    def __init__(
        self, config: Config, plain: Traversable | None = None, built: Traversable | None = None
    ) -> None:
        self._config = config
        here = files("exchange.reporter")
        page, terminal = (
            dict(_files_of(folder)) for folder in (plain or here / "page", built or here / "static")
        )
        first = terminal if INDEX in terminal else page
        self._files = first | {PLAIN + path: body for path, body in page.items()}

    def routes(self) -> list[Route]:
        """List the routes: one per file, and the configuration."""
        made = [
            Route(
                "GET", "/config.json", self.page_config, "Tell the page where the components are", "page",
                returns=PageConfig, ignores_key=True,
            )
        ]  # fmt: skip
        for path in self._files:
            where = f"/{path.removesuffix(INDEX)}" if path.endswith(INDEX) else f"/{path}"
            made.append(self._route(where, path))
        return made

    async def page_config(self, call: Call) -> Reply:
        """Answer GET /config.json."""
        return Reply(body=self._page_config(call), headers={"Cache-Control": "no-store"})

    def _route(self, where: str, path: str) -> Route:
        media = MEDIA[path[path.rindex(".") :]]
        body = self._files[path]
        tag = f'"{sha256(body).hexdigest()[:32]}"'

        async def file(call: Call) -> Reply:
            headers = {"Cache-Control": "no-cache", "ETag": tag, "X-Content-Type-Options": "nosniff"}
            if path.endswith(".html"):
                headers |= {"Content-Security-Policy": self._policy(call), "Referrer-Policy": "no-referrer"}
            if call.raw.headers.get("If-None-Match") == tag:
                return Reply(304, b"", headers)
            return Reply(body=body, headers=headers)

        operation = "page_" + re.sub(r"\W", "_", path)
        return Route(
            "GET", where, file, f"Show {path}", "page", returns=bytes, media=media, ignores_key=True,
            operation=operation,
        )  # fmt: skip

    def _page_config(self, call: Call) -> PageConfig:
        config = self._config
        reporter = config.reporter.url.rstrip("/") or _here(call) or url_of(config.reporter_address())
        return PageConfig(
            name=config.exchange.name,
            version=__version__,
            currency=config.exchange.currency,
            engine=_seen_from(call, config.engine.url, config.engine_address()),
            reporter=reporter,
            clearing=_seen_from(call, config.clearing.url, config.clearing_address()),
            stream=reporter.replace("http", "ws", 1) + STREAM_PATH,
            time_zone=config.engine.schedule.time_zone if config.engine.schedule.enabled else "UTC",
            intervals=list(self._config.reporter.candle_intervals),
        )

    def _policy(self, call: Call) -> str:
        """Allow the page its own files and the components, and nothing else."""
        page = self._page_config(call)
        origins = {urlsplit(url)._replace(path="", query="").geturl(): None for url in
                   (page.engine, page.reporter, page.clearing, page.stream)}  # fmt: skip
        return (
            f"default-src 'self'; connect-src 'self' {' '.join(origins)}; img-src 'self' data:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )


def _seen_from(call: Call, url: str, address: Address) -> str:
    """Return a component's address as a browser reaches it: what is configured, else beside this page."""
    if url:
        return url.rstrip("/")
    here = _here(call)
    if address.host not in _HERE or not here:
        return url_of(address)
    return f"{_PORT.sub('', here)}:{address.port}"


def _here(call: Call) -> str:
    """Return the address under which the browser has reached us, empty where it does not say."""
    host = call.raw.headers.get("Host", "")
    return f"{call.raw.scheme}://{host}" if _HOST.match(host) else ""


def _files_of(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Read every file of a folder that a browser can be given; of a folder that is not there, none."""
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _files_of(entry, f"{prefix}{entry.name}/")
        elif entry.name[entry.name.rfind(".") :] in MEDIA:
            body = entry.read_bytes()
            assert len(body) <= FILE_BYTES_MAX, f"page/{prefix}{entry.name} has {len(body)} bytes"
            yield prefix + entry.name, body
