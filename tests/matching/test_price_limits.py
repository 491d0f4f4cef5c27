"""What no order and no hour changes about price limits; the scenarios have the rules one by one."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.order import Side
from exchange.domain.phase import Phase
from exchange.domain.trade import TradeCondition
from exchange.domain.units import SymbolId
from exchange.matching.price_guard import PriceBands, PriceCorridor
from exchange.matching.price_limits import is_late
from exchange.matching.venue import Venue
from exchange.wire.records import decode_events, encode_command
from tests.matching.desk import BOB, START_NS, XYZ, Desk, kinds, numbered_record
from tests.matching.random_commands import RandomCommands

SECOND_NS = 1_000_000_000
COMMANDS = 8_000


@pytest.mark.parametrize("seed", range(1, 6))
def test_nothing_trades_beyond_the_limits_and_no_book_is_crossed(seed: int) -> None:
    drawn, venue, trades = RandomCommands(seed, price_limits=True), Venue(), 0
    records = drawn.opening()
    for sequence in range(1, COMMANDS):
        record = records.pop(0) if records else drawn.record()
        if sequence % 20 == 0:
            drawn.advance()
        limits = {symbol_id: limits_of(venue, symbol_id) for symbol_id in (1, 2)}
        events = venue.apply(numbered_record(record, sequence), drawn.time_ns)
        drawn.note(events)
        for event in decode_events(events):
            if isinstance(event, v.PriceBandsMoved):
                limits[event.symbol_id] = (event.lower, event.upper)
            if isinstance(event, e.TradeExecuted) and event.state is TradeCondition.WITHIN_LIMITS:
                trades += 1
                lowest, highest = limits.get(event.symbol_id) or limits_of(venue, event.symbol_id)
                assert lowest <= event.price <= highest, f"seed {seed}, command {sequence}: {event}"
        assert_not_crossed(venue, f"seed {seed}, command {sequence}")
    assert trades > 100


def limits_of(venue: Venue, symbol_id: int) -> tuple[int, int]:
    """Return the limits that hold for a command's first order; those a corridor follows are wider for its stops."""
    market = venue._state.markets.get(symbol_id)
    if market is None or market.guard is None or market.phase is not Phase.CONTINUOUS:
        return 0, 2**32
    lowest, highest = market.price_limits(market.guard)
    if isinstance(market.guard, PriceCorridor) and market.stops.waiting:
        return 0, 2**32
    return lowest, highest


def assert_not_crossed(venue: Venue, when: str) -> None:
    """See that bids and asks are apart while a symbol trades, and inside the bands they cannot leave."""
    for market in venue._state.markets.values():
        if market.phase is not Phase.CONTINUOUS:
            continue
        bids, asks = market.book.bids.ranks, market.book.asks.ranks
        assert not (bids and asks) or bids[-1] < -asks[-1], when
        if isinstance(market.guard, PriceBands):
            assert not bids or bids[-1] <= market.guard.upper, when
            assert not asks or -asks[-1] >= market.guard.lower, when


def paused() -> Desk:
    """Return a desk whose symbol pauses, with buyers at the upper band."""
    desk = Desk()
    desk.send(c.SetPriceBands(symbol_id=XYZ, tier=1))
    desk.enter(Side.BUY, 10, 105_000)
    return desk


def test_a_limit_state_and_a_pause_go_on_from_a_snapshot() -> None:
    desk = paused()
    desk.enter(Side.SELL, 10, 101_000, BOB)
    desk.enter(Side.BUY, 10, 105_000)
    restored = Venue.restore(desk.venue.snapshot())
    assert restored.next_deadline == desk.venue.next_deadline == START_NS + 15 * SECOND_NS
    straight: Any = desk.venue
    for seconds in (15, 300):
        desk.time_ns += seconds * SECOND_NS
        record = numbered_record(encode_command(c.Tick()), straight.command_sequence + 1)
        assert restored.apply(record, desk.time_ns) == straight.apply(record, desk.time_ns)
        assert restored.digest() == straight.digest()
        restored = Venue.restore(restored.snapshot())
    assert restored._state.markets[XYZ].phase is Phase.CONTINUOUS


def test_trades_say_whether_limits_protected_them() -> None:
    desk, conditions = Desk(), []
    for tier in (0, 1):
        desk.send(c.SetPriceBands(symbol_id=XYZ, tier=tier))
        desk.enter(Side.SELL, 10, 101_000, BOB)
        conditions += [event.state for event in desk.enter(Side.BUY, 10, 101_000) if hasattr(event, "state")]
    assert conditions == [TradeCondition.CONTINUOUS, TradeCondition.WITHIN_LIMITS]


def test_a_tick_that_comes_late_measures_once_and_goes_on_from_now() -> None:
    desk = Desk()
    desk.send(c.SetPriceBands(symbol_id=XYZ, tier=1))
    desk.enter(Side.SELL, 10, 104_000, BOB)
    desk.enter(Side.BUY, 10, 104_000)
    desk.time_ns += 3_601 * SECOND_NS
    assert kinds(desk.send(c.Tick())) == ["PriceBandsMoved"]
    assert desk.venue.next_deadline == START_NS + 3_630 * SECOND_NS


def test_it_is_late_when_the_schedule_ends_trading_soon() -> None:
    desk = Desk()
    state = desk.venue._state
    for at_ns, phase in ((90, Phase.CONTINUOUS), (100, Phase.CLOSED)):
        desk.send(c.SchedulePhase(symbol_id=SymbolId(0), phase=phase, at_ns=START_NS + at_ns))
    assert [is_late(state, XYZ, before_ns) for before_ns in (99, 100)] == [False, True]


def test_bands_that_are_set_again_in_a_pause_leave_the_auction_without_their_collar() -> None:
    desk = paused()
    desk.time_ns += 15 * SECOND_NS
    assert kinds(desk.send(c.Tick())) == ["PhaseChanged", "AuctionCollarSet", "AuctionIndicated"]
    assert kinds(desk.send(c.SetPriceBands(symbol_id=XYZ, tier=2))) == ["PriceBandsSet"]
    desk.enter(Side.BUY, 10, 150_000)
    desk.enter(Side.SELL, 10, 150_000, BOB)
    desk.time_ns += 300 * SECOND_NS
    assert kinds(desk.send(c.Tick()))[:2] == ["AuctionExecuted", "TradeExecuted"]
