"""The service from outside: the way of a request, what refuses it, and the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientError

from exchange.domain.participant import Role
from exchange.infra.http_limits import HttpLimits
from exchange.wire.rest.errors import ErrorCode
from tests.infra.http_server import ORDER, Served, bearer, serving

PAGE = "http://localhost:8002"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(cors_origins=[PAGE]) as served:
        yield served


async def refusal(served: Served, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any], Any]:
    async with served.client.request(method, path, **options) as response:
        body = await response.json()
        assert list(body)[:6] == ["code", "reason", "message", "field", "retry", "request_id"]
        assert body["request_id"] == response.headers["X-Request-ID"]
        return response.status, body, response.headers


async def test_an_order_goes_in_typed_and_its_answer_comes_out(served: Served) -> None:
    async with served.client.post("/api/v1/order", json=ORDER, headers=bearer(Role.TRADER)) as response:
        assert response.status == 201
        assert response.content_type == "application/json"
        assert (await response.json())["order"]["side"] == "buy"
    (call,) = served.handlers.calls
    assert call.who.label == "trader"


async def test_a_client_may_name_its_request(served: Served) -> None:
    async with served.client.get("/api/v1/order/1", headers={"X-Request-ID": "my-1.a"}) as response:
        assert response.headers["X-Request-ID"] == "my-1.a"
        assert response.headers["ETag"] == '"1"'


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ü", "<script>"])
async def test_a_name_that_is_no_short_word_is_replaced(served: Served, given: str) -> None:
    async with served.client.get("/api/v1/order/1", headers={"X-Request-ID": given}) as response:
        assert response.headers["X-Request-ID"] not in ("", given)


async def test_without_a_key_the_answer_is_401_with_the_way_to_send_one(served: Served) -> None:
    status, body, headers = await refusal(served, "POST", "/api/v1/order", json=ORDER)
    assert (status, body["code"]) == (401, ErrorCode.KEY_MISSING)
    assert headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("path", ["/api/v1/order", "/api/v1/orders"])
async def test_a_wrong_key_is_refused_even_where_none_is_needed(served: Served, path: str) -> None:
    method = "POST" if path == "/api/v1/order" else "GET"
    status, body, headers = await refusal(served, method, path, headers={"Authorization": "Bearer xk_wrong"})
    assert (status, body["code"]) == (401, ErrorCode.KEY_UNKNOWN)
    assert "invalid_token" in headers["WWW-Authenticate"]


async def test_a_key_of_another_role_is_told_which_it_takes(served: Served) -> None:
    status, body, _ = await refusal(served, "POST", "/api/v1/order", json=ORDER, headers=bearer(Role.AUDITOR))
    assert (status, body["message"]) == (403, "this needs a key of role trader; yours is auditor")


async def test_an_operator_does_what_risk_does(served: Served) -> None:
    async with served.client.put("/api/v1/symbol/AAPL/suspend", headers=bearer(Role.OPERATOR)) as response:
        assert (response.status, await response.read()) == (204, b"")


async def test_a_given_key_is_recognised_where_none_is_needed(served: Served) -> None:
    async with served.client.get(
        "/api/v1/orders?limit=5&symbol=A&symbol=B", headers=bearer(Role.VIEWER)
    ) as response:
        body = await response.json()
    assert body["who"] == "viewer"
    assert body["query"] == {"limit": 5, "after": 0, "side": None, "symbol": ["A", "B"]}


async def test_nothing_at_a_path_lists_the_near_ones(served: Served) -> None:
    status, body, _ = await refusal(served, "GET", "/api/v1/ordres")
    assert (status, body["code"]) == (404, ErrorCode.UNKNOWN_PATH)
    assert "/api/v1/orders" in body["detail"]["near"]


async def test_a_method_that_a_path_does_not_take_is_told_which_it_does(served: Served) -> None:
    status, body, headers = await refusal(served, "PATCH", "/api/v1/order")
    assert (status, headers["Allow"]) == (405, "OPTIONS, POST")
    assert "got PATCH" in body["message"]


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "QUERY"])
async def test_odd_methods_are_refused_as_any_other(served: Served, method: str) -> None:
    status, _, _ = await refusal(served, method, "/api/v1/orders")
    assert status == 405


async def test_an_unknown_parameter_is_refused_by_name(served: Served) -> None:
    status, body, _ = await refusal(served, "GET", "/api/v1/orders?limt=5")
    assert (status, body["message"]) == (400, "unknown parameter 'limt'; did you mean limit?")
    status, body, _ = await refusal(served, "GET", "/api/v1/order/1?verbose=1")
    assert (status, body["message"]) == (400, "unknown parameter 'verbose'; none is allowed")


async def test_an_error_of_the_handler_keeps_its_field_and_detail(served: Served) -> None:
    status, body, _ = await refusal(served, "GET", "/api/v1/order/404")
    assert (status, body["field"], body["detail"]) == (404, "order_id", {"order_id": "404"})


async def test_a_failure_of_ours_says_unknown_and_nothing_of_the_inside(served: Served) -> None:
    status, body, _ = await refusal(served, "GET", "/fail")
    assert (status, body["code"], body["retry"]) == (500, ErrorCode.INTERNAL_ERROR, True)
    assert "secret" not in str(body)
    assert "unknown" in body["message"]


async def test_a_store_that_is_away_asks_to_try_again(served: Served) -> None:
    status, body, _ = await refusal(served, "GET", "/no_store")
    assert (status, body["reason"], body["retry"]) == (503, "store_unreachable", True)
    assert "address" not in str(body)


async def test_head_has_the_headers_of_get_without_its_body(served: Served) -> None:
    async with served.client.head("/api/v1/order/1") as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) == len(b'{"id":"1"}')
        assert await response.read() == b""


async def test_options_tells_the_methods_and_answers_a_preflight(served: Served) -> None:
    async with served.client.options("/api/v1/orders") as response:
        assert (response.status, response.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    async with served.client.options("/api/v1/order", headers={"Origin": PAGE}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == PAGE
        assert "POST" in response.headers["Access-Control-Allow-Methods"]


async def test_only_listed_origins_may_read_answers_and_errors(served: Served) -> None:
    for path in ("/api/v1/order/1", "/api/v1/order/404"):
        async with served.client.get(path, headers={"Origin": PAGE}) as response:
            assert response.headers["Access-Control-Allow-Origin"] == PAGE
        async with served.client.get(path, headers={"Origin": "https://evil.example"}) as response:
            assert "Access-Control-Allow-Origin" not in response.headers


async def test_every_route_counts_its_calls_and_errors(served: Served) -> None:
    for path in ("/api/v1/order/1", "/api/v1/order/404", "/fail", "/nowhere"):
        async with served.client.get(path):
            pass
    stats = {row.path: row for row in served.service.stats}
    assert (stats["/api/v1/order/{order_id}"].count, stats["/api/v1/order/{order_id}"].errors) == (2, 1)
    assert stats["/fail"].failures == 1
    assert stats["(no route)"].errors == 1
    assert stats["/fail"].latency.max_us > 0


async def test_beyond_the_rate_a_key_waits_and_others_do_not() -> None:
    async with serving(HttpLimits(rate_per_s=1, rate_burst=2)) as served:
        for remaining in ("1", "0"):
            async with served.client.get("/api/v1/order/1", headers=bearer(Role.TRADER)) as response:
                assert response.headers["X-RateLimit-Limit"] == "2"
                assert response.headers["X-RateLimit-Remaining"] == remaining
                assert response.headers["X-RateLimit-Reset"].isdigit()
        status, body, headers = await refusal(served, "GET", "/api/v1/order/1", headers=bearer(Role.TRADER))
        assert (status, body["code"], body["retry"]) == (429, ErrorCode.TOO_MANY_REQUESTS, True)
        assert int(headers["Retry-After"]) >= 1
        assert headers["X-RateLimit-Remaining"] == "0"
        for others in (bearer(Role.VIEWER), {}):
            async with served.client.get("/api/v1/order/1", headers=others) as response:
                assert response.status == 200
        async with served.client.get("/api/v1/healthcheck") as response:
            assert "X-RateLimit-Limit" not in response.headers


async def test_guessing_keys_uses_up_the_own_tokens() -> None:
    async with serving(HttpLimits(rate_per_s=1, rate_burst=2)) as served:
        seen = []
        for _ in range(3):
            wrong = {"Authorization": "Bearer xk_guess"}
            seen.append((await refusal(served, "GET", "/api/v1/order/1", headers=wrong))[0])
        assert seen == [401, 401, 429]


async def test_stopping_lets_a_running_request_end_and_refuses_new_ones() -> None:
    async with serving() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        running = asyncio.create_task(served.client.get("/wait"))
        await served.handlers.entered.wait()
        stopping = asyncio.create_task(served.service.stop())
        await served.service.closing.wait()
        writer.write(b"GET /api/v1/order/1 HTTP/1.1\r\nHost: x\r\n\r\n")
        refused = await reader.read()
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b'"draining"' in refused
        assert b"Retry-After: 1" in refused
        assert b"Connection: close" in refused
        writer.close()
        served.handlers.gate.set()
        response = await running
        assert await response.json() == {"waited": "yes"}
        await stopping
        with pytest.raises(OSError, match="Connect"):
            await served.client.get("/api/v1/order/1")


async def test_stopping_cuts_off_what_outlasts_the_limit() -> None:
    async with serving(HttpLimits(drain_s=0.05)) as served:
        running = asyncio.create_task(served.client.get("/wait"))
        await served.handlers.entered.wait()
        await served.service.stop()
        with pytest.raises(ClientError):
            await running


async def test_a_port_that_is_taken_is_an_error_of_the_start(served: Served) -> None:
    async with serving() as other:
        with pytest.raises(OSError, match="in use"):
            await other.service.start("127.0.0.1", served.port)


async def test_the_rate_can_be_changed_while_it_serves() -> None:
    async with serving() as served:
        served.service.set_rates(1, 2, None)
        for remaining in ("1", "0"):
            async with served.client.get("/api/v1/order/1") as response:
                assert response.headers["X-RateLimit-Remaining"] == remaining
        served.service.set_rates(1, 2, None)
        assert (await refusal(served, "GET", "/api/v1/order/1"))[0] == 429
        served.service.set_rates(0, 0, None)
        async with served.client.get("/api/v1/order/1") as response:
            assert response.status == 200
