"""What is read from the store, against what the venue has said."""

from __future__ import annotations

import msgspec
import pytest

from exchange.domain import commands as c
from exchange.market_data.candles import DAY_S
from exchange.market_data.trade import TradeStatus
from exchange.reporter.drop_copies import concerned
from exchange.reporter.queries import Span
from tests.market_data.venue_flow import DATE
from tests.reporter.live_flow import LiveFlow


@pytest.fixture
def live(store_url: str) -> LiveFlow:
    live = LiveFlow(store_url)
    flow = live.flow
    live.feed(flow.open(), *[flow.trade(1_000_000 + 100 * at, 10) for at in range(4)])
    live.feed(flow.trade(500_000, 10, symbol_id=2))
    return live


def test_trades_come_newest_first_before_a_sequence_and_by_symbol(live: LiveFlow) -> None:
    queries = live.store.queries
    found = queries.trades(1, 0, 3, include_busted=True)
    assert [trade.price for trade in found] == [1_000_300, 1_000_200, 1_000_100]
    assert [trade.price for trade in queries.trades(1, found[-1].sequence, 3, True)] == [1_000_000]
    assert [trade.symbol_id for trade in queries.trades(0, 0, 2, True)] == [2, 1]


def test_busted_trades_can_be_left_out(live: LiveFlow) -> None:
    newest = live.store.queries.trades(1, 0, 1, include_busted=True)[0]
    live.feed(live.flow.bust(newest.match_id))
    assert live.store.queries.trades(1, 0, 1, include_busted=False)[0].price == 1_000_200
    busted = live.store.queries.trade(newest.sequence)
    assert busted is not None
    assert busted.status == TradeStatus.BUSTED
    assert live.store.queries.trade(1) is None


def test_a_symbols_trades_come_oldest_first_within_a_span(live: LiveFlow) -> None:
    first, *_, last = [trade.sequence for trade in live.store.queries.trades(1, 0, 9, True)][::-1]
    found = live.store.queries.trades_of([1], first, last, 2)
    assert [trade.price for trade in found] == [1_000_100, 1_000_200]


def test_candles_come_within_a_span_from_either_end(live: LiveFlow) -> None:
    queries = live.store.queries
    whole = queries.candles(1, 1, Span(0, 2**62), 10)
    assert [candle.key.start_ns for candle in whole] == sorted(candle.key.start_ns for candle in whole)
    assert queries.candles(1, 1, Span(0, 2**62), 1, newest=True) == whole[-1:]
    assert queries.candles(1, 1, Span(0, whole[-1].key.start_ns), 10) == whole[:-1]
    after = Span(0, 2**62, whole[0].key.start_ns, whole[0].key.business_date)
    assert queries.candles(1, 1, after, 10) == whole[1:]
    assert queries.candle_before(1, 1, whole[-1].key.start_ns) == (whole[-2] if len(whole) > 1 else None)


def test_two_candles_of_one_start_are_paged_one_after_the_other(live: LiveFlow) -> None:
    live.feed(live.flow.do(c.StartBusinessDay(date=DATE + 1)), live.flow.trade(1_000_000))
    both = live.store.queries.candles(1, 60, Span(0, 2**62), 10)
    assert [candle.key.business_date for candle in both] == [DATE, DATE + 1]
    assert both[0].key.start_ns == both[1].key.start_ns
    after = Span(0, 2**62, both[0].key.start_ns, DATE)
    assert live.store.queries.candles(1, 60, after, 10) == both[1:]


def test_statistics_are_of_one_event_and_know_the_close_before(live: LiveFlow) -> None:
    flow, queries = live.flow, live.store.queries
    newest = queries.trades(1, 0, 2, True)
    live.feed(flow.bust(newest[0].match_id), flow.correct(newest[1].match_id, 1_000_000, 5))
    live.feed(flow.do(c.StartBusinessDay(date=DATE + 1)), flow.trade(1_000_000))
    before, now = queries.statistics(DATE), queries.statistics(DATE + 1)
    assert before.sequence == now.sequence == flow.venue.event_sequence
    assert before.changed == {(1, TradeStatus.BUSTED): 1, (1, TradeStatus.CORRECTED): 1}
    assert (before.closes, now.closes) == ({}, {1: 1_000_000, 2: 500_000})
    assert {symbol_id: day.key.interval_s for symbol_id, day in before.days.items()} == {1: DAY_S, 2: DAY_S}
    assert list(now.days) == [1]


def test_kept_messages_and_the_links_between_them_are_found(live: LiveFlow) -> None:
    flow, queries = live.flow, live.store.queries
    trades = [trade.sequence for trade in queries.trades(1, 0, 9, True)]
    live.feed(flow.bust(trades[0]))
    ((sequence, _, message),) = queries.announcements_of("trades", [1], 0, 2**62, 10)
    assert (sequence, msgspec.json.decode(message)["type"]) == (flow.venue.event_sequence, "bust")
    assert queries.link_before("trades", 1, sequence) == trades[0]
    assert queries.link_before("trades", 1, trades[0]) == trades[1]
    assert queries.link_before("trades", 1, trades[-1]) == 0
    assert queries.link_before("status", 1, sequence) == 3
    assert queries.announcements_of("status", [0], 0, 2**62, 1)[0][0] == 1


def test_drop_copies_begin_and_end_anywhere_across_rows_and_accounts(store_url: str) -> None:
    live = LiveFlow(store_url)
    events = [live.flow.open(), *[live.flow.trade(1_000_000 + 100 * (at % 7), 10) for at in range(100)]]
    live.feed(b"".join(events[:90]))
    live.feed(b"".join(events[90:]))
    told = sorted((sequence, account, record) for account, sequence, record in concerned(b"".join(events)))
    assert len(told) == 200
    last = told[-1][0]
    for after, upto, limit in (
        (0, last, 1_000),
        (0, last, 7),
        (told[71][0], told[150][0], 50),
        (last, last, 5),
    ):
        wanted = [each for each in told if after < each[0] <= upto][:limit]
        assert live.store.queries.drop_copies((1, 2), after, upto, limit) == wanted
