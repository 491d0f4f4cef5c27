"""From paths to what serves them."""

from __future__ import annotations

import pytest

from exchange.infra.http_router import Router


@pytest.fixture
def router() -> Router[str]:
    router: Router[str] = Router()
    router.add("GET", "/api/v1/orders", "list")
    router.add("POST", "/api/v1/orders", "enter")
    router.add("GET", "/api/v1/orders:by_client_order_id", "look up")
    router.add("GET", "/api/v1/order/{order_id}", "show")
    router.add("GET", "/api/v1/order/last", "last")
    router.add("GET", "/api/v1/symbol/{symbol}/book/{side}", "side")
    return router


@pytest.mark.parametrize(
    ("path", "target", "parameters"),
    [
        ("/api/v1/orders", "list", {}),
        ("/api/v1/orders:by_client_order_id", "look up", {}),
        ("/api/v1/orders%3Aby_client_order_id", "look up", {}),
        ("/api/v1/order/last", "last", {}),
        ("/api/v1/order/17", "show", {"order_id": "17"}),
        ("/api/v1/order/a%2Fb%20c", "show", {"order_id": "a/b c"}),
        ("/api/v1/symbol/BRK.B/book/buy", "side", {"symbol": "BRK.B", "side": "buy"}),
    ],
)
def test_a_path_finds_its_target_and_parameters(
    router: Router[str], path: str, target: str, parameters: dict[str, str]
) -> None:
    entry, found = router.find(path)
    assert entry is not None
    assert (entry.methods["GET"], found) == (target, parameters)


@pytest.mark.parametrize(
    "path", ["", "/", "*", "/api/v1/order/", "/api/v1/order", "/api/v1/orders/", "/api/v1/order/1/2", "/%"]
)
def test_other_paths_find_nothing(router: Router[str], path: str) -> None:
    assert router.find(path)[0] is None


def test_the_near_paths_are_the_most_alike(router: Router[str]) -> None:
    assert router.near("/api/v1/ordres")[0] == "/api/v1/orders"
    assert len(router.near("/api/v1/order" * 1000)) <= 3


def test_allow_names_head_and_options_too(router: Router[str]) -> None:
    entry, _ = router.find("/api/v1/orders")
    assert entry is not None
    assert entry.allow == "GET, HEAD, OPTIONS, POST"


def test_a_second_route_for_the_same_is_our_error(router: Router[str]) -> None:
    with pytest.raises(AssertionError, match="two routes for GET /api/v1/orders"):
        router.add("GET", "/api/v1/orders", "again")
