"""REST of market data over real sockets."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange.domain import commands as c
from exchange.domain.order import Side
from tests.market_data.venue_flow import DATE, VenueFlow
from tests.reporter.reporter_stand import Stand

SECOND = 1_000_000_000


async def test_trades_are_listed_newest_first_and_paged_without_gap_or_repeat(tmp_path: Path) -> None:
    async with Stand(tmp_path, VenueFlow(3)) as stand:
        await stand.publish(stand.flow.open(), *stand.flow.random_batches(10))
        for query in ({}, {"symbol": "AAPL"}, {"symbol": "AAPL", "include_busted": "false"}):
            whole = (await stand.get("/api/v1/trades", limit=1000, **query))["items"]
            assert [each["seq"] for each in whole] == sorted((each["seq"] for each in whole), reverse=True)
            paged: list[Any] = []
            cursor = ""
            while cursor is not None:
                page = await stand.get("/api/v1/trades", limit=3, cursor=cursor, **query)
                paged += page["items"]
                cursor = page["next"]
            assert paged == whole
            assert {each["symbol"] for each in whole} == ({"AAPL"} if query else {"AAPL", "MSFT"})
            statuses = {each["status"] for each in whole}
            assert ("busted" in statuses) == ("include_busted" not in query)


async def test_the_first_page_is_the_same_from_memory_and_from_the_store(tmp_path: Path) -> None:
    async with Stand(tmp_path, VenueFlow(3), trades_in_memory=2) as stand:
        await stand.publish(stand.flow.open(), *stand.flow.random_batches(10))
        from_memory = await stand.get("/api/v1/trades", symbol="AAPL", limit=2)
        from_store = await stand.get("/api/v1/trades", symbol="AAPL", limit=3)
        assert from_store["items"][:2] == from_memory["items"]


async def test_a_trade_is_shown_by_its_match_id_with_what_became_of_it(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        flow = stand.flow
        await stand.publish(flow.open(), flow.trade(1_000_000))
        (match_id,) = flow.trades
        assert (await stand.get(f"/api/v1/trades/{match_id}"))["status"] == "executed"
        await stand.publish(flow.correct(match_id, 990_000, 60))
        corrected = await stand.get(f"/api/v1/trades/{match_id}")
        names = ("status", "price", "qty", "executed_price", "executed_qty", "version")
        assert [corrected[name] for name in names] == [
            "corrected", "99.00", "60", "100.00", "100", 2,
        ]  # fmt: skip
        await stand.publish(flow.bust(match_id))
        busted = await stand.get(f"/api/v1/trades/{match_id}")
        assert (busted["status"], busted["changed_seq"]) == ("busted", stand.source.last_sequence)


async def test_a_trade_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), stand.flow.trade(1_000_000))
        (match_id,) = stand.flow.trades
        for path, code in (
            (f"{match_id + 1}", 404),
            (f"{(1 << 56) + match_id}", 404),
            ("x", 400),
            ("-1", 400),
        ):
            await stand.get(f"/api/v1/trades/{path}", status=code)


async def test_the_last_trade_is_the_last_that_stands(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        flow = stand.flow
        await stand.publish(flow.open())
        assert "that stands" in (await stand.get("/api/v1/trades/last", 404, symbol="AAPL"))["message"]
        await stand.publish(flow.trade(1_000_000), flow.trade(1_500_000))
        await stand.publish(flow.bust(list(flow.trades)[-1]))
        assert (await stand.get("/api/v1/trades/last", symbol="AAPL"))["price"] == "100.00"


async def test_the_ticker_shows_quotes_figures_and_change_since_the_close(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        flow = stand.flow
        await stand.publish(flow.open(), flow.trade(1_000_000), flow.do(c.StartBusinessDay(date=DATE + 1)))
        await stand.publish(flow.trade(1_010_000, 50), flow.limit(Side.BUY, 990_000))
        await stand.publish(flow.limit(Side.SELL, 1_020_000, 7))
        (ticker,) = (await stand.get("/api/v1/ticker", symbol="AAPL"))["items"]
        expected = {
            "symbol": "AAPL", "bid": "99.00", "bid_qty": "100", "ask": "102.00", "ask_qty": "7", "last": "101.00",
            "volume": "50", "previous_close": "100.00", "change": "1.00", "change_bps": 100, "state": "active",
            "business_date": "2026-11-24", "seq": stand.source.last_sequence,
        }  # fmt: skip
        assert {name: ticker[name] for name in expected} == expected
        assert [each["symbol"] for each in (await stand.get("/api/v1/ticker"))["items"]] == ["AAPL", "MSFT"]


async def test_books_are_those_of_the_venue_by_level_and_by_order(tmp_path: Path) -> None:
    async with Stand(tmp_path, VenueFlow(2)) as stand:
        flow = stand.flow
        await stand.publish(flow.open(), *flow.random_batches(10))
        level_2 = (await stand.get("/api/v1/book", symbol="AAPL", depth=1000))["items"][0]
        bids, asks = flow.venue.depth(1, 1000)
        for shown, levels in ((level_2["bids"], bids), (level_2["asks"], asks)):
            assert [(Decimal(r["price"]) * 10_000, int(r["qty"]), r["orders"]) for r in shown] == [
                (level.price, level.quantity, level.orders) for level in levels
            ]
        level_3 = (await stand.get("/api/v1/book", symbol="AAPL", level=3, depth=1000))["items"][0]
        for shown, queue in zip((level_3["bids"], level_3["asks"]), flow.venue.orders(1), strict=True):
            assert [(int(r["id"]), int(r["qty"])) for r in shown] == [
                (o.order_id, o.displayed) for o in queue
            ]
            assert all(r.keys() == {"id", "price", "qty"} for r in shown)
        assert level_2["seq"] == level_3["seq"] == flow.venue.event_sequence


async def test_books_and_symbols_are_listed_page_by_page(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        for path in ("/api/v1/book", "/api/v1/symbols"):
            first = await stand.get(path, limit=1)
            second = await stand.get(path, limit=1, cursor=first["next"])
            assert [page["items"][0]["symbol"] for page in (first, second)] == ["AAPL", "MSFT"]
            assert second["next"] is None
        assert (await stand.get("/api/v1/symbols/AAPL"))["name"] == "AAPL Inc."
        assert "GET /api/v1/symbols" in (await stand.get("/api/v1/symbols/NOPE", 404))["message"]


async def test_depth_and_page_size_are_bounded_by_the_configuration(tmp_path: Path) -> None:
    async with Stand(tmp_path, book_levels_max=2, page_items_max=3) as stand:
        flow = stand.flow
        await stand.publish(flow.open(), *[flow.limit(Side.BUY, 900_000 + 100 * at) for at in range(5)])
        await stand.publish(*[flow.trade(1_000_000) for _ in range(5)])
        assert len((await stand.get("/api/v1/book", symbol="AAPL", depth=10))["items"][0]["bids"]) == 2
        assert len((await stand.get("/api/v1/trades", limit=100))["items"]) == 3


async def test_statistics_count_what_stands_and_what_was_changed(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        flow = stand.flow
        await stand.publish(flow.open(), flow.trade(1_000_000), flow.trade(1_500_000), flow.trade(1_400_000))
        first, second, third = flow.trades
        await stand.publish(flow.bust(second), flow.correct(third, 1_000_200, 10))
        statistics = await stand.get("/api/v1/statistics", symbol="AAPL")
        (day,) = statistics["items"]
        expected = {
            "symbol": "AAPL", "business_date": "2026-11-23", "trades": 2, "volume": "110", "notional": "11000.20",
            "high": "100.02", "busted": 1, "corrected": 1, "previous_close": None,
        }  # fmt: skip
        assert {name: day[name] for name in expected} == expected
        assert statistics["seq"] == stand.source.last_sequence
        await stand.publish(flow.do(c.StartBusinessDay(date=DATE + 1)), flow.bust(first))
        past = await stand.get("/api/v1/statistics", symbol="AAPL", date="2026-11-23")
        assert (past["items"][0]["busted"], past["items"][0]["trades"]) == (2, 1)
        now = await stand.get("/api/v1/statistics", symbol="AAPL")
        assert (now["items"][0]["trades"], now["items"][0]["previous_close"]) == (0, "100.02")
        assert len((await stand.get("/api/v1/statistics"))["items"]) == 2


async def test_candles_are_answered_plain_filled_and_after_a_bust(tmp_path: Path) -> None:
    async with Stand(tmp_path, VenueFlow(step_ns=SECOND)) as stand:
        flow = stand.flow
        await stand.publish(flow.open(), flow.trade(1_000_000))
        flow.time_ns += 3 * SECOND
        await stand.publish(flow.trade(1_100_000))
        plain = (await stand.get("/api/v1/candles", symbol="AAPL", interval="1s"))["items"]
        assert [each["close"] for each in plain] == ["100.00", "110.00"]
        filled = (await stand.get("/api/v1/candles", symbol="AAPL", interval="1s", fill="true", limit=6))[
            "items"
        ]
        assert [(each["close"], each["volume"]) for each in filled] == [
            ("100.00", "100"), *[("100.00", "0")] * 4, ("110.00", "100"),
        ]  # fmt: skip
        await stand.publish(flow.bust(list(flow.trades)[-1]))
        (left,) = (await stand.get("/api/v1/candles", symbol="AAPL", interval="1m"))["items"]
        assert (left["high"], left["trades"]) == ("100.00", 1)


@pytest.mark.parametrize(
    ("path", "query", "status", "field"),
    [
        ("/api/v1/trades", {"symbol": "NOPE"}, 422, "symbol"),
        ("/api/v1/trades", {"limit": 0}, 400, "limit"),
        ("/api/v1/trades", {"limit": 1001}, 400, "limit"),
        ("/api/v1/trades", {"cursor": "abc"}, 400, "cursor"),
        ("/api/v1/trades", {"colour": 1}, 400, "colour"),
        ("/api/v1/trades/last", {}, 400, "symbol"),
        ("/api/v1/ticker", {"symbol": "aapl"}, 422, "symbol"),
        ("/api/v1/candles", {}, 400, "symbol"),
        ("/api/v1/candles", {"symbol": "AAPL", "interval": "7m"}, 404, "interval"),
        ("/api/v1/candles", {"symbol": "AAPL", "interval": "1x"}, 400, "interval"),
        ("/api/v1/candles", {"symbol": "AAPL", "from": "yesterday"}, 400, "from"),
        ("/api/v1/candles", {"symbol": "AAPL", "to": "2026-02-30T00:00:00Z"}, 400, "to"),
        ("/api/v1/candles", {"symbol": "AAPL", "cursor": "1"}, 400, "cursor"),
        ("/api/v1/statistics", {"date": "2026-02-30"}, 400, "date"),
        ("/api/v1/statistics", {"date": "20260230"}, 400, "date"),
        ("/api/v1/book", {"depth": 0}, 400, "depth"),
        ("/api/v1/book", {"level": 1}, 400, "level"),
    ],
)
async def test_a_wrong_query_is_refused_with_the_parameter(
    tmp_path: Path, path: str, query: dict[str, Any], status: int, field: str
) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        error = await stand.get(path, status, **query)
        assert error["field"] == field
        assert error["request_id"]


async def test_times_beyond_any_trade_are_answered_with_nothing(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), stand.flow.trade(1_000_000))
        for query in ({"from": "9999-01-01T00:00:00Z"}, {"to": "0001-01-01T00:00:00Z"}):
            for fill in ("true", "false"):
                page = await stand.get("/api/v1/candles", symbol="AAPL", fill=fill, **query)
                assert (page["items"], page["next"]) == ([], None)


async def test_before_the_first_event_everything_is_empty(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        for path in ("trades", "ticker", "book", "symbols"):
            assert (await stand.get(f"/api/v1/{path}"))["items"] == []
        assert await stand.get("/api/v1/statistics") == {"items": [], "seq": 0}
