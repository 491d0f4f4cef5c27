"""The running log of a day: what is worth a line, and what is only counted."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.phase import Phase
from exchange.domain.trade import BustReason
from exchange.simulation.day_log import DayLog
from exchange.wire.records import encode_event
from tests.matching.desk import ANN, BOB, XYZ, Desk


class Logged(Desk):
    """A desk with a log."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.log = DayLog(self.venue.directory, self.lines.append, lambda: "09:30")

    def send_record(self, record: bytes) -> list[e.Event]:
        events = super().send_record(record)
        if hasattr(self, "log"):
            self.log.take(b"".join(map(encode_event, events)))
        return events


def test_phases_auctions_and_halts_are_told_and_orders_are_not() -> None:
    desk = Logged()
    desk.send(c.SetPhase(symbol_id=0, phase=Phase.OPENING_AUCTION))
    desk.enter(Side.BUY, 100, 100_000, ANN)
    desk.enter(Side.SELL, 60, 100_000, BOB)
    desk.log.tell_indications()
    desk.send(c.SetPhase(symbol_id=0, phase=Phase.CONTINUOUS, reason="as planned"))
    desk.send(c.HaltTrading(symbol_id=XYZ, reason="news"))
    assert desk.lines == [
        "09:30    market opening auction",
        "09:30    XYZ         10.00        60 paired   40 to buy left over",
        "09:30    market continuous: as planned",
        "09:30    XYZ         10.00        60 traded   opening auction",
        "09:30    XYZ    halted: news",
    ]
    assert (desk.log.trades, desk.log.shares, desk.log.auctions) == (1, 60, [("XYZ", "opening", 60)])


def test_a_bust_is_told_and_counted_until_the_day_is_over() -> None:
    desk = Logged()
    desk.enter(Side.BUY, 100, 100_000, ANN)
    (trade,) = (one for one in desk.enter(Side.SELL, 60, 100_000, BOB) if isinstance(one, e.TradeExecuted))
    facts = {
        "match_id": trade.sequence, "symbol_id": XYZ, "price": trade.price, "quantity": trade.quantity,
        "buy_account_id": ANN, "sell_account_id": BOB, "buy_order_id": trade.maker_order_id,
        "sell_order_id": trade.taker_order_id, "executed_ns": trade.time_ns, "ruling_id": 1,
        "reason": BustReason.ERRONEOUS, "executed_command": trade.command_sequence,
    }  # fmt: skip
    bust = c.BustTrade(**{name: facts[name] for name in c.BustTrade.__struct_fields__ if name in facts})
    desk.send(bust)
    assert desk.lines == ["09:30    XYZ    60 at 10.00 busted: erroneous"]
    assert desk.log.busted == 1
    desk.log.end()
    desk.send(c.HaltTrading(symbol_id=XYZ, reason="news"))
    assert len(desk.lines) == 1


def test_a_headline_shows_how_much_of_the_day_is_over() -> None:
    desk = Logged()
    desk.log.headline("Half time", 1, 2)
    assert desk.lines == ["", "09:30  [############............]  Half time"]
