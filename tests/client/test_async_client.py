"""The asynchronous client against a whole exchange: orders, accounts, market data, and an answer that is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange.client import AsyncClient, Refused, Unreachable
from exchange.client.requests import Requests
from exchange.launch.up import Embedded
from tests.launch.market import Market
from tests.launch.test_up import running


@asynccontextmanager
async def members(folder: Path) -> AsyncIterator[tuple[AsyncClient, AsyncClient, Embedded, Market]]:
    """Run an exchange and give the clients of alice and bob."""
    async with running(folder) as (embedded, seen):
        alice, bob = (client_of(embedded, name) for name in ("alice", "bob"))
        async with alice, bob:
            yield alice, bob, embedded, seen


def client_of(embedded: Embedded, name: str) -> AsyncClient:
    found = embedded.addresses
    key = embedded.keys.participants[name].key
    return AsyncClient(key, engine=found.engine, reporter=found.reporter, clearing=found.clearing)


async def test_orders_are_entered_amended_replaced_and_cancelled(tmp_path: Path) -> None:
    async with members(tmp_path) as (alice, _, _, _):
        order = await alice.sell("AAPL", 100, Decimal("190.00"))
        assert (order.status, order.leaves_qty, order.price) == ("new", "100", "190.00")
        assert (await alice.order_named(order.client_order_id)).id == order.id
        assert (await alice.amend(order.id, qty=50)).kept_priority
        assert (await alice.place_in_queue(order.id)).place == 1
        replaced = await alice.replace(order.id, price="191.00")
        assert [each.id async for each in alice.orders()] == [replaced.id]
        canceled = await alice.cancel(replaced.id)
        assert canceled.cancel_reason == "requested"
        results = await alice.enter_all(
            [
                {"symbol": "AAPL", "side": "sell", "qty": 1, "price": "195"},
                {"symbol": "?", "side": "buy", "qty": 1},
            ]
        )
        assert [result.status for result in results] == [201, 422]
        assert (await alice.cancel_all("AAPL")).count == 1
        assert (await alice.order(order.id)).status == "replaced"


async def test_every_kind_of_order_list_and_quote_is_entered_and_cancelled(tmp_path: Path) -> None:
    async with members(tmp_path) as (alice, bob, _, _):
        await bob.buy("AAPL", 10, "189.00")
        pegged = await alice.enter("AAPL", "buy", 5, peg="primary", peg_offset="-0.10")
        assert (pegged.peg, pegged.price) == ("primary", "188.90")
        iceberg = await alice.sell("AAPL", 500, "191.00", display_qty=100)
        stop = await alice.enter("AAPL", "sell", 5, type="stop", stop_price="150.00")
        assert {iceberg.status, stop.status} == {"new"}
        assert stop.time_in_force == "day"
        legs = [
            {"side": "buy", "type": "limit", "price": "180.00"},
            {"side": "sell", "type": "limit", "price": "210.00"},
            {"side": "sell", "type": "stop", "stop_price": "170.00"},
        ]
        entered = await alice.enter_list("bracket", "AAPL", 10, legs)
        assert (len(entered.orders), len(entered.waiting)) == (1, 2)
        assert [each.list_id for each in await alice.order_lists()] == [entered.list_id]
        await alice.cancel(entered.orders[0].id)
        assert await alice.order_lists() == []
        quote = {"symbol": "AAPL", "bid_price": "188.50", "bid_qty": 10, "ask_price": "192.00", "ask_qty": 10}
        assert (await alice.quote(quote)).items[0].error is None
        (live,) = await alice.quotes()
        assert live.bid_order_id
        assert live.ask_order_id
        assert (await alice.protect_quotes("AAPL", qty=50, window_ms=1_000)).window_ms == 1_000
        with pytest.raises(Refused, match="to reset is one that was reached"):
            await alice.reset_quotes("AAPL")
        assert (await alice.cancel_quotes()).count == 2
        assert (await alice.cancel_all("AAPL", "sell", min_price="190.50")).count == 1
        assert (await alice.cancel_all(side="sell")).count == 1
        assert (await alice.cancel_all()).count == 1
        assert "cancel" in (await alice.explain(iceberg.id)).headline.lower()


async def test_a_refusal_has_its_reason(tmp_path: Path) -> None:
    async with members(tmp_path) as (alice, _, _, _):
        with pytest.raises(Refused) as refused:
            await alice.buy("AAPL", 100, "190.001")
        assert (refused.value.status, refused.value.error.reason) == (422, "price_not_on_tick")


async def test_what_happened_is_seen_on_all_lists(tmp_path: Path) -> None:
    async with members(tmp_path) as (alice, bob, _, seen):
        await alice.sell("AAPL", 10, "189.20")
        bought = await bob.buy("AAPL", 10)
        assert (bought.type, bought.status) == ("market", "filled")
        await seen.trade_states("clearing", "state", ["accepted"])
        await seen.trade_states("reporter", "status", ["executed"])
        (fill,) = [each async for each in bob.fills()]
        (trade,) = [each async for each in bob.trades("AAPL")]
        (cleared,) = [each async for each in bob.own_trades("AAPL")]
        assert fill.match_id == trade.match_id == cleared.match_id
        account = (await anext(bob.accounts())).id
        assert {each.symbol: each.qty for each in (await bob.account(account)).holdings}["AAPL"]
        assert [each async for each in bob.positions(account) if each.symbol == "AAPL"]
        assert [each async for each in bob.balances(account) if each.asset == "cash"]
        assert (await bob.ticker("AAPL")).last == "189.20"
        assert (await bob.statistics("AAPL")).volume == "10"
        assert (await bob.book_now("AAPL")).bids == []
        assert [each.trades async for each in bob.candles("AAPL")] == [1]
        assert "AAPL" in [each.symbol async for each in bob.symbols()]


async def test_a_stream_keeps_a_book_of_own_orders(tmp_path: Path) -> None:
    async with members(tmp_path) as (alice, _, _, _), alice.stream() as stream:
        book = await stream.book("AAPL")
        await alice.sell("AAPL", 10, "189.20")
        async with asyncio.timeout(30):
            while not len(book.asks):
                await stream.changed(book)
        assert book.asks.best()[0].price == Decimal("189.20")


async def test_an_order_whose_answer_is_lost_is_entered_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = Requests._ask_once
    lost: list[Any] = []

    async def loses_the_first(self: Requests, *arguments: Any) -> Any:
        answer = await once(self, *arguments)
        if not lost:
            lost.append(answer)
            raise Unreachable("the answer was lost")
        return answer

    monkeypatch.setattr(Requests, "_ask_once", loses_the_first)
    async with members(tmp_path) as (alice, _, _, _):
        order = await alice.sell("AAPL", 10, "189.20")
        assert order.id == lost[0].id
        assert [each.id async for each in alice.orders("all")] == [order.id]
