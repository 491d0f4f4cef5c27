"""The routes that every component has: health, readiness, metrics, and the description of its API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from exchange.infra.http_limits import HttpLimits
from exchange.infra.http_metrics import HTTP_FAMILIES, HttpFigures
from exchange.infra.http_routes import Call, Handler, Reply, Route, WsRoute
from exchange.infra.http_stats import RouteMeter
from exchange.infra.metrics import METRICS_MEDIA, MetricFamilies, family_text, read_all
from exchange.infra.openapi import document
from exchange.infra.websocket import Connection

HTML = "text/html; charset=utf-8"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Described(Protocol):
    """What a service tells about itself here; `HttpService` does."""

    title: str
    version: str
    description: str
    routes: list[Route | WsRoute]
    limits: HttpLimits
    ready: Callable[[], list[str]]
    notes: Callable[[], list[str]]
    component_metrics: Callable[[], MetricFamilies]
    sockets: set[Connection]
    in_flight: int

    @property
    def draining(self) -> bool:
        """Tell whether a stop has begun."""

    @property
    def meters(self) -> list[RouteMeter]:
        """List the meters of all routes."""

    @property
    def connections_count(self) -> int:
        """Return the number of open connections."""


class Health(msgspec.Struct):
    """The process is alive."""

    status: str = "ok"


class Readiness(msgspec.Struct):
    """Whether the component does its work now, and if not, why. notes: what works less well, and does not stop it."""

    ready: bool
    reasons: list[str] = []
    notes: list[str] | UnsetType = UNSET


def system_routes(service: Described) -> list[Route]:
    """Make the routes of one service."""
    pages = _Pages(service)
    healthy = Health()

    async def health(_: Call) -> Health:
        return healthy

    def reasons_now() -> list[str]:
        return [*service.ready(), *(["shutting down"] if service.draining else [])]

    async def readiness(_: Call) -> Reply:
        reasons = reasons_now()
        found = Readiness(not reasons, reasons, service.notes() or UNSET)
        return Reply(503 if reasons else 200, found, {"Cache-Control": "no-store"})

    async def metrics(_: Call) -> bytes:
        def collect() -> MetricFamilies:
            figures = HttpFigures(
                service.meters,
                service.connections_count,
                len(service.sockets),
                service.in_flight,
                reasons_now(),
                service.notes(),
            )
            yield from read_all(HTTP_FAMILIES, figures)
            yield from service.component_metrics()

        texts = []
        for family in collect():
            texts.append(family_text(family))
            await asyncio.sleep(0)  # What is more urgent than figures has its turn in between.
        return "".join(texts).encode()

    def open_route(method: str, path: str, handler: Handler, summary: str, **more: Any) -> Route:
        return Route(method, path, handler, summary, "system", ignores_key=True, **more)

    health_path = "/api/v1/healthcheck"
    script, style = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
    return [
        open_route("GET", health_path, health, "Tell that the process is alive", returns=Health),
        open_route("HEAD", health_path, health, "Tell that the process is alive, without a body"),
        open_route(
            "GET",
            "/readyz",
            readiness,
            "Tell whether the component is ready, and if not, why",
            returns=Readiness,
            also={503: Readiness},
        ),
        open_route(
            "GET", "/metrics", metrics, "Show figures for Prometheus", returns=bytes, media=METRICS_MEDIA
        ),
        open_route(
            "GET", "/openapi.json", pages.description, "Describe this API in OpenAPI 3.1", returns=dict
        ),
        open_route("GET", "/docs", pages.page, "Show this API to read and to try", returns=bytes, media=HTML),
        open_route(
            "GET", "/docs/docs.js", pages.script, "Show the script of the page", returns=bytes, media=script
        ),
        open_route(
            "GET", "/docs/docs.css", pages.style, "Show the style of the page", returns=bytes, media=style
        ),
    ]


class _Pages:
    """The API's description and the page that shows it."""

    def __init__(self, service: Described) -> None:
        self._service = service
        self._description = b""

    async def description(self, _: Call) -> bytes:
        """Answer the OpenAPI document, made once, at the first request."""
        if not self._description:
            service = self._service
            self._description = msgspec.json.encode(
                document(
                    service.title,
                    service.version,
                    service.routes,
                    description=service.description,
                    rate_limited=service.limits.rate_per_s > 0,
                )
            )
        return self._description

    async def page(self, _: Call) -> Reply:
        """Answer the page."""
        return Reply(body=_asset("docs.html"), headers={"Content-Security-Policy": _PAGE_POLICY})

    async def script(self, _: Call) -> bytes:
        """Answer the page's script."""
        return _asset("docs.js")

    async def style(self, _: Call) -> bytes:
        """Answer the page's style."""
        return _asset("docs.css")


@cache
def _asset(name: str) -> bytes:
    return (files("exchange.infra") / "pages" / name).read_bytes()
