"""Tables of a day: rows of orders, book, trades and candles, compared with what the books and the tape say."""

from __future__ import annotations

from exchange.domain.order import Side
from exchange.market_data.book_builder import BookBuilder
from exchange.market_data.day_tables import COLUMNS, DayRow, DayTable
from tests.market_data.venue_flow import DATE, VenueFlow


def rows_of(table: DayTable, events: bytes) -> list[DayRow]:
    return [*table.apply(events), *table.finish()]


def named(name: str, rows: list[DayRow]) -> list[dict[str, object]]:
    columns = [column for column, _ in COLUMNS[name]]
    return [dict(zip(columns, row, strict=True)) for _, _, row in rows]


def test_a_busted_and_a_corrected_trade_stand_as_they_are_at_the_end() -> None:
    flow = VenueFlow()
    events = flow.open() + flow.trade(1_000_000) + flow.trade(1_010_000) + flow.trade(1_020_000)
    first, second, _ = flow.trades
    events += flow.bust(first) + flow.correct(second, 1_005_000, 50)
    rows = rows_of(DayTable("trades"), events)
    assert {(row.date, row.symbol) for row in rows} == {(DATE, "AAPL")}
    found = named("trades", rows)
    assert [each["status"] for each in found] == ["busted", "corrected", "executed"]
    assert [(each["price"], each["qty"], each["executed_price"]) for each in found] == [
        (1_000_000, 100, 1_000_000), (1_005_000, 50, 1_010_000), (1_020_000, 100, 1_020_000),
    ]  # fmt: skip
    assert [bool(each["changed_at"]) for each in found] == [True, True, False]


def test_candles_count_only_what_stands() -> None:
    flow = VenueFlow(step_ns=1_000_000_000)
    events = flow.open() + b"".join(flow.trade(1_000_000 + 10_000 * number) for number in range(5))
    events += flow.bust(list(flow.trades)[-1])
    rows = named("candles", rows_of(DayTable("candles", interval_s=86_400), events))
    (day,) = rows
    assert (day["open"], day["high"], day["close"], day["volume"]) == (1_000_000, 1_030_000, 1_030_000, 400)
    assert (day["vwap"], day["trades"]) == (1_015_000, 4)
    short = named("candles", rows_of(DayTable("candles", interval_s=1), events))
    assert sum(each["trades"] for each in short if isinstance(each["trades"], int)) == 4
    assert [each["start"] for each in short] == sorted({each["start"] for each in short})  # type: ignore[type-var]


def test_the_rows_of_the_book_make_the_book() -> None:
    flow = VenueFlow(seed=3)
    builder, table = BookBuilder(), DayTable("book")
    levels: dict[tuple[str, str], dict[int, tuple[int, int]]] = {}
    for events in [flow.open(), *flow.random_batches(40)]:
        builder.apply(events)
        for _, symbol, (_, _, side, price, quantity, orders) in table.apply(events):
            kept = levels.setdefault((symbol, side), {})
            kept.pop(price, None)
            if quantity:
                kept[price] = quantity, orders
    for symbol_id, symbol in ((1, "AAPL"), (2, "MSFT")):
        for side, totals in zip(("buy", "sell"), builder.book(symbol_id).totals(), strict=True):
            found = levels.get((symbol, side), {})
            assert {price: (quantity, orders) for price, quantity, orders in totals} == found


def test_the_rows_of_orders_tell_each_orders_life() -> None:
    flow = VenueFlow()
    events = flow.open() + flow.limit(Side.SELL, 1_000_000, 100) + flow.limit(Side.BUY, 1_000_000, 40)
    found = named("orders", rows_of(DayTable("orders"), events))
    assert [(each["event"], each["side"], each["leaves_qty"], each["reason"]) for each in found] == [
        ("accepted", "sell", 100, ""), ("accepted", "buy", 40, ""), ("executed", "sell", 60, "maker"),
        ("executed", "buy", 0, "taker"),
    ]  # fmt: skip
    assert found[2]["other_id"] == found[3]["other_id"] != 0


def test_every_event_of_an_order_in_random_flow_has_its_row() -> None:
    flow = VenueFlow(seed=5)
    table = DayTable("orders")
    rows = [row for events in [flow.open(), *flow.random_batches(60)] for row in table.apply(events)]
    kinds = {each["event"] for each in named("orders", rows)}
    assert kinds >= {"accepted", "rejected", "cancelled", "amended", "replaced", "executed"}
    assert {row.symbol for row in rows} == {"AAPL", "MSFT"}


def test_one_date_and_one_symbol_can_be_asked_for() -> None:
    flow = VenueFlow()
    events = flow.open() + flow.trade(1_000_000) + flow.trade(1_000_000, symbol_id=2)
    assert {row.symbol for row in rows_of(DayTable("trades", wanted_symbol="MSFT"), events)} == {"MSFT"}
    assert rows_of(DayTable("trades", wanted_date=20200101), events) == []
