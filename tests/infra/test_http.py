"""The door to the HTTP server: one import for everything a component needs."""

from __future__ import annotations

from exchange.infra import http, http_routes, http_service


def test_a_component_finds_everything_behind_one_door() -> None:
    assert http.Route is http_routes.Route
    assert http.HttpService is http_service.HttpService
    assert sorted(http.__all__) == ["ApiError", "Call", "HttpService", "Reply", "Route", "WsRoute"]
