"""The client that waits line by line: the same as the asynchronous one, in a program without a loop."""

from __future__ import annotations

import asyncio
import inspect
from decimal import Decimal
from pathlib import Path

from exchange.client import AsyncClient, Client
from exchange.client.stream import MarketStream
from exchange.client.sync_client import Stream
from tests.launch.test_up import running


def public(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


def test_it_has_what_the_asynchronous_one_has() -> None:
    assert public(Client) == public(AsyncClient)
    assert public(Stream) == public(MarketStream) - {"close", "next"}


def trade_and_watch(engine: str, reporter: str, clearing: str, alice_key: str, bob_key: str) -> None:
    """Use everything in one thread, as a script does."""
    where = {"engine": engine, "reporter": reporter, "clearing": clearing}
    with Client(alice_key, **where) as alice, Client(bob_key, **where) as bob, alice.stream() as stream:
        book = stream.book("AAPL")
        stream.subscribe("trades", "AAPL")
        order = alice.sell("AAPL", 100, "189.20")
        while not len(book.asks):
            stream.changed(book)
        assert book.asks.best()[0].price == Decimal("189.20")
        assert alice.place_in_queue(order.id).place == 1
        bob.buy("AAPL", 40)
        trade = next(message.trade for message in stream if message.type == "trade")
        assert trade.qty == "40"
        assert stream.problem == ""
        assert [fill.qty for fill in bob.fills("AAPL")] == ["40"]
        assert alice.order(order.id).leaves_qty == alice.order_named(order.client_order_id).leaves_qty == "60"
        assert alice.amend(order.id, qty=90).leaves_qty == "50"
        replaced = alice.replace(order.id, price="190.00")
        assert alice.cancel(replaced.id).canceled_qty
        assert alice.enter("AAPL", "sell", 1, "195.00").status == "new"
        assert (
            alice.enter_all([{"symbol": "AAPL", "side": "sell", "qty": 1, "price": "196"}])[0].status == 201
        )
        assert alice.cancel_all().count == 2
        assert len(list(alice.orders("all"))) == 4
        (account,) = alice.accounts()
        assert alice.account(account.id).holdings
        assert "AAPL" in [symbol.symbol for symbol in alice.symbols()]
        assert alice.ticker("AAPL").last == alice.statistics("AAPL").last == "189.20"
        assert [each.match_id for each in alice.trades("AAPL")] == [trade.match_id]
        assert [each.volume for each in alice.candles("AAPL")] == ["40"]
        assert alice.book_now("AAPL", level=3).bids == []
        assert all(each.account for each in alice.positions())
        assert all(each.account for each in alice.balances())
        assert all(each.match_id == trade.match_id for each in alice.own_trades())
        stream.unsubscribe("trades", "AAPL")


async def test_a_script_trades_and_watches(tmp_path: Path) -> None:
    async with running(tmp_path) as (embedded, _):
        found, keys = embedded.addresses, embedded.keys.participants
        await asyncio.to_thread(
            trade_and_watch, found.engine, found.reporter, found.clearing, keys["alice"].key, keys["bob"].key
        )
