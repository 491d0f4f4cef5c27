"""Phases by themselves; `tests/scenarios/phases.txt` and `halts.txt` have the rules."""

from __future__ import annotations

import pytest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.phase import SCHEDULE_ROWS_MAX, Phase
from exchange.domain.reasons import Reason
from exchange.domain.units import SymbolId
from exchange.matching.market import Market
from exchange.matching.phases import collar, drawn
from exchange.matching.venue import Venue
from tests.matching.desk import BOB, START_NS, XYZ, Desk, kinds

ALL = SymbolId(0)
SECOND_NS = 1_000_000_000


def test_chance_is_drawn_from_the_seed_alone_and_within_its_limit() -> None:
    assert [drawn(seed, 9) for seed in range(12)] == [drawn(seed, 9) for seed in range(12)]
    assert {drawn(seed, 3) for seed in range(100)} == {0, 1, 2, 3}
    assert drawn(2**64 - 1, 0) == 0


def test_a_collar_gets_wider_by_itself() -> None:
    desk = Desk()
    desk.send(c.SetAuctionTerms(symbol_id=XYZ, collar_bps=100, extension_ns=1, extensions_max=2))
    market: Market = desk.venue._state.markets[XYZ]
    assert collar(market) == (99_000, 101_000)
    market.extensions = 2
    assert collar(market) == (97_000, 103_000)


def test_a_schedule_has_a_named_maximum() -> None:
    desk = Desk()
    for number in range(SCHEDULE_ROWS_MAX):
        desk.send(c.SchedulePhase(symbol_id=XYZ, phase=Phase.CLOSED, at_ns=START_NS + 1 + number))
    refused = desk.only(c.SchedulePhase(symbol_id=XYZ, phase=Phase.CLOSED, at_ns=START_NS + 1))
    assert (refused.reason, refused.limit) == (Reason.DIRECTORY_FULL, SCHEDULE_ROWS_MAX)


def test_an_auction_goes_on_from_a_snapshot() -> None:
    desk = Desk()
    desk.send(
        c.SetAuctionTerms(symbol_id=XYZ, collar_bps=10, extension_ns=SECOND_NS, extensions_max=1),
        c.SetPhase(symbol_id=ALL, phase=Phase.CLOSING_AUCTION),
        c.SchedulePhase(symbol_id=ALL, phase=Phase.CLOSED, at_ns=START_NS + 1),
    )
    desk.enter(Side.BUY, 10, 101_000)
    desk.enter(Side.SELL, 10, 101_000, BOB)
    desk.time_ns += 1
    assert kinds(desk.send(c.Tick())) == ["PhaseChanged", "AuctionExtended"]
    desk.venue, told = Venue.restore(desk.venue.snapshot()), desk.venue.indication(XYZ)
    assert desk.venue.indication(XYZ) == told
    assert desk.venue.next_deadline == START_NS + 1 + SECOND_NS
    assert desk.venue.directory.symbols[XYZ].auction.collar_bps == 10
    desk.time_ns = desk.venue.next_deadline
    assert kinds(desk.send(c.Tick())) == ["AuctionExecuted", "TradeExecuted", "PhaseChanged"]


def test_what_does_not_change_an_auction_is_not_told_again() -> None:
    desk = Desk()
    desk.send(c.SetPhase(symbol_id=ALL, phase=Phase.OPENING_AUCTION))
    (_, told) = desk.enter(Side.BUY, 10, 100_000)
    assert isinstance(told, e.AuctionIndicated)
    assert kinds(desk.enter(Side.SELL, 10, 120_000, BOB)) == ["OrderAccepted"]


@pytest.mark.parametrize("phase", [Phase.CLOSED, Phase.HALTED, Phase.POST_CLOSE])
def test_nothing_is_indicated_where_no_orders_gather(phase: Phase) -> None:
    desk = Desk()
    desk.send(
        c.HaltTrading(symbol_id=XYZ, reason="news")
        if phase is Phase.HALTED
        else c.SetPhase(symbol_id=XYZ, phase=phase)
    )
    assert desk.venue.indication(XYZ) is None


def test_each_change_by_hand_carries_the_words_of_the_operator() -> None:
    desk = Desk()
    changes = (
        c.SetPhase(symbol_id=XYZ, phase=Phase.PRE_OPEN, reason="a drill"),
        c.HaltTrading(symbol_id=XYZ, reason="news"),
        c.ResumeTrading(symbol_id=XYZ, call_ns=0, reason="told"),
        c.SetPhase(symbol_id=ALL, phase=Phase.CLOSED, reason="power"),
    )
    said = [
        [event.reason for event in desk.send(each) if isinstance(event, e.PhaseChanged)] for each in changes
    ]
    assert said == [["a drill"], ["news"], ["told"], ["power", "power"]]


def test_what_is_refused_names_the_symbol() -> None:
    desk = Desk()
    for command in (
        c.SetPhase(symbol_id=XYZ, phase=Phase.HALTED),
        c.SchedulePhase(symbol_id=XYZ, phase=Phase.CLOSED, at_ns=1),
        c.SetAuctionTerms(symbol_id=XYZ, collar_bps=10_001, extension_ns=1, extensions_max=1),
        c.ResumeTrading(symbol_id=XYZ, call_ns=0),
    ):
        refused = desk.only(command)
        assert (refused.symbol_id, refused.subject) == (XYZ, XYZ)
