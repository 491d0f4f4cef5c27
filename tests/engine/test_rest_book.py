"""Tests of exchange.engine.rest_book: books and one resting order over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.running_engine import RunningEngine


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def test_the_book_of_a_symbol_needs_no_key_and_sums_each_price(engine: RunningEngine) -> None:
    for qty, price in (("10", "189.10"), ("20", "189.20"), ("5", "189.10")):
        await engine.order("alice", "buy", qty, price)
    await engine.order("bob", "sell", "7", "189.30")
    (book,) = (await engine.get("/api/v1/book?symbol=AAPL")).items
    assert book["bids"] == [
        {"price": "189.20", "qty": "20", "orders": 1}, {"price": "189.10", "qty": "15", "orders": 2}
    ]  # fmt: skip
    assert book["asks"] == [{"price": "189.30", "qty": "7", "orders": 1}]
    assert book["seq"] > 0
    (top,) = (await engine.get("/api/v1/book?symbol=AAPL&depth=1")).items
    assert [level["price"] for level in top["bids"]] == ["189.20"]


async def test_all_books_are_listed_by_pages(engine: RunningEngine) -> None:
    first = await engine.get("/api/v1/book?limit=3")
    rest = await engine.get(f"/api/v1/book?limit=3&cursor={first.body['next']}")
    assert [book["symbol"] for book in first.items + rest.items] == ["AAPL", "MSFT", "NVDA", "TSLA", "XYZ"]
    assert rest.body["next"] is None


async def test_level_3_is_in_trading_order_and_names_only_ones_own(engine: RunningEngine) -> None:
    mine = (await engine.order("alice", "buy", "10", "189.10", client_order_id="a-1")).body["id"]
    other = (await engine.order("bob", "buy", "20", "189.10", client_order_id="b-1")).body["id"]
    best = (await engine.order("bob", "buy", "5", "189.20")).body["id"]
    (public,) = (await engine.get("/api/v1/book?symbol=AAPL&level=3")).items
    assert public["bids"] == [
        {"price": "189.20", "qty": "5", "id": best},
        {"price": "189.10", "qty": "10", "id": mine},
        {"price": "189.10", "qty": "20", "id": other},
    ]
    (own,) = (await engine.get("/api/v1/book?symbol=AAPL&level=3", "alice")).items
    assert own["bids"][1] == {
        "price": "189.10", "qty": "10", "id": mine, "account": "1", "client_order_id": "a-1"
    }  # fmt: skip
    assert own["bids"][2] == public["bids"][2]


async def test_a_resting_order_tells_its_place_in_the_queue(engine: RunningEngine) -> None:
    await engine.order("bob", "buy", "20", "189.10")
    mine = (await engine.order("alice", "buy", "10", "189.10", client_order_id="a-1")).body["id"]
    public = (await engine.get(f"/api/v1/book/{mine}")).body
    assert (public["place"], public["orders_ahead"], public["qty_ahead"]) == (2, 1, "20")
    assert not {"account", "client_order_id", "filled_qty"} & public.keys()
    own = (await engine.get(f"/api/v1/book/{mine}", "alice")).body
    assert (own["account"], own["client_order_id"], own["filled_qty"]) == ("1", "a-1", "0")


async def test_an_order_that_does_not_rest_is_not_in_the_book(engine: RunningEngine) -> None:
    order, _, _ = await engine.trade()
    assert (await engine.get(f"/api/v1/book/{order}")).status == 404
    assert (await engine.get("/api/v1/book/999")).body["reason"] == "not_found"


async def test_a_question_about_no_book_is_refused_by_field(engine: RunningEngine) -> None:
    for query, field in (("symbol=NOPE", "symbol"), ("depth=0", "depth"), ("level=4", "level"), ("x=1", "x")):
        assert (await engine.get(f"/api/v1/book?{query}")).body["field"] == field
