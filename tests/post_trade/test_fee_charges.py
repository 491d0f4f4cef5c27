"""Fees as entries: what is owed less what was charged, so that busts give back."""

from __future__ import annotations

from exchange.domain.events import TradeExecuted
from exchange.post_trade.fee_charges import entries_of, fees_of_trades, to_charge
from exchange.post_trade.fees import parse_fees
from exchange.post_trade.house_ledger import HouseHolder, HouseLedger
from exchange.post_trade.ledger import CASH
from exchange.post_trade.trade import Trade, captured
from exchange.post_trade.trade_life import TradeState
from tests.post_trade.stream import Stream

DAY = 20261123
SCHEDULE = parse_fees(
    [
        {"name": "trading", "from": "2026-01-01", "who": "taker", "per_share": "0.0030"},
        {"name": "trading", "from": "2026-01-01", "who": "maker", "per_share": "-0.0020"},
    ]
)


def trade(buyer: int, seller: int, quantity: int, state: TradeState = TradeState.ACCEPTED) -> Trade:
    stream = Stream()
    stream.trade(buyer, seller, quantity)
    event = stream.events[-1]
    assert isinstance(event, TradeExecuted)
    return captured(event, DAY, state)


def test_the_taker_pays_and_the_maker_gets_a_rebate() -> None:
    owed = fees_of_trades([trade(1, 2, 100), trade(1, 2, 7, TradeState.BUSTED)], SCHEDULE, {})
    assert owed == {(DAY, 1, "trading"): 3000, (DAY, 2, "trading"): -2000}
    ledger = HouseLedger()
    ledger.post("fees", entries_of(to_charge(owed, {})))
    assert [ledger.net(HouseHolder.SETTLED, n, CASH) for n in (1, 2)] == [-3000, 2000]
    assert ledger.net(HouseHolder.FEES, 0, CASH) == 1000


def test_who_trades_with_himself_pays_both_sides() -> None:
    assert fees_of_trades([trade(1, 1, 100)], SCHEDULE, {}) == {(DAY, 1, "trading"): 1000}


def test_only_the_difference_is_charged_and_what_fell_away_is_given_back() -> None:
    charged = {(DAY, 1, "trading"): 3000, (DAY, 2, "trading"): -2000}
    assert to_charge(charged, charged) == {}
    assert to_charge({(DAY, 1, "trading"): 3300}, charged) == {
        (DAY, 1, "trading"): 300,
        (DAY, 2, "trading"): 2000,
    }
