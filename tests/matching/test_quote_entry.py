"""Quotes in and out."""

from __future__ import annotations

from exchange.domain import commands as c
from tests.matching.desk import ANN, XYZ, Desk, kinds
from tests.matching.test_quotes import quoted


def test_a_quote_replaces_the_one_before_in_one_command() -> None:
    desk = Desk()
    assert kinds(desk.send(*quoted(5))) == ["QuoteAccepted", "OrderAccepted", "OrderAccepted"]
    events = desk.send(*quoted(6))
    assert kinds(events) == ["QuoteAccepted", *["OrderCancelled"] * 2, *["OrderAccepted"] * 2]
    assert len({event.command_sequence for event in events}) == 1
    assert desk.venue.live_orders == 2


def test_withdrawn_quotes_leave_nothing_behind() -> None:
    desk = Desk()
    desk.send(*quoted(5), c.CancelQuotes(participant_id=0, account_id=ANN, symbol_id=XYZ))
    assert (desk.venue.live_orders, desk.venue.quote_desks()) == (0, {})
