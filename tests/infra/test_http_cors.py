"""Pages of other origins."""

from __future__ import annotations

from exchange.infra.http_cors import Cors

PAGE = "http://localhost:8002"


def test_a_listed_origin_is_named_and_caches_are_told() -> None:
    headers = Cors([PAGE + "/"]).headers(PAGE)
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert headers["Vary"] == "Origin"
    assert "X-Request-ID" in headers["Access-Control-Expose-Headers"]


def test_any_origin_may_be_allowed() -> None:
    assert Cors(["*"]).headers("https://anywhere.example")["Access-Control-Allow-Origin"] == "*"
    assert Cors(["*"]).allows("https://anywhere.example")


def test_another_origin_gets_no_permission() -> None:
    assert Cors([PAGE]).headers("https://evil.example") == {"Vary": "Origin"}
    assert Cors([]).headers(PAGE) == {}
    assert Cors([PAGE]).headers(None) == {}


def test_a_preflight_tells_methods_and_headers_to_allowed_origins_only() -> None:
    allowed = Cors([PAGE]).preflight(PAGE, "GET, POST")
    assert allowed["Access-Control-Allow-Methods"] == "GET, POST"
    assert "Authorization" in allowed["Access-Control-Allow-Headers"]
    assert Cors([PAGE]).preflight("https://evil.example", "GET") == {"Allow": "GET"}
    assert Cors([PAGE]).preflight(None, "GET") == {"Allow": "GET"}
