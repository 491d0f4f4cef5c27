"""The ITCH feed against the venue: a reader that knows nothing else has its books, states and tape."""

from __future__ import annotations

from collections import Counter

import pytest

from exchange.domain import commands as c
from exchange.domain.order import Side, TimeInForce
from exchange.domain.symbol import SymbolState
from exchange.domain.units import OrderId, ParticipantId, Price, Quantity, SymbolId
from exchange.market_data.itch_stream import MOVE_SHIFT, DayPart, ItchStream, order_id_of
from exchange.wire import itch
from tests.market_data.itch_book import ItchReader
from tests.market_data.venue_flow import SYMBOLS, VenueFlow


def letters(parts: list[DayPart]) -> str:
    return "".join(chr(message[0]) for part in parts for message in part.messages)


def values(parts: list[DayPart], letter: str) -> list[dict[str, object]]:
    messages = [itch.decode(message) for part in parts for message in part.messages]
    return [message.values for message in messages if message.letter == letter]


class Market:
    """A venue whose events go into a stream, and on into a reader."""

    def __init__(self, seed: int = 1) -> None:
        self.flow = VenueFlow(seed)
        self.stream = ItchStream()
        self.reader = ItchReader()
        self.hear(self.flow.open())

    def hear(self, events: bytes) -> list[DayPart]:
        parts = self.stream.apply(events)
        for part in parts:
            if part.begins:
                self.reader = ItchReader(self.reader.earlier | self.reader.tape.keys())
            self.reader.read(part.messages)
        return parts


@pytest.mark.parametrize("seed", range(8))
def test_a_reader_has_the_venues_books_after_every_command(seed: int) -> None:
    market = Market(seed)
    venue, kinds = market.flow.venue, Counter[str]()
    if seed % 2:
        market.hear(market.flow.share_out(2))
    for _ in range(600):
        kinds.update(letters(market.hear(market.flow.random_events())))
        for symbol_id, stock in enumerate(SYMBOLS, 1):
            assert market.reader.states[stock] == "T"
            for side, orders in zip("BS", venue.orders(symbol_id), strict=True):
                wanted = [(o.order_id, o.price, o.displayed) for o in orders]
                queue = market.reader.queue(stock, side)
                assert [(order_id_of(ref), *rest) for ref, *rest in queue] == wanted, f"seed {seed}"
    assert set(kinds) >= set("AEDUPB"), "the flow meets what happens to orders and trades"


@pytest.mark.parametrize("seed", range(3))
def test_it_makes_the_same_messages_however_the_events_are_cut(seed: int) -> None:
    flow = VenueFlow(seed)
    batches = [flow.open(), *(flow.random_events() for _ in range(300))]
    singly, at_once = ItchStream(), ItchStream()
    pieces = [message for batch in batches for part in singly.apply(batch) for message in part.messages]
    whole = [message for part in at_once.apply(b"".join(batches)) for message in part.messages]
    assert pieces == whole


def test_a_day_begins_with_symbols_states_and_what_rests_and_ends_with_end_of_messages() -> None:
    market = Market()
    for each in (
        market.flow.limit(Side.BUY, 999_800, time_in_force=TimeInForce.GTC),
        market.flow.limit(Side.SELL, 1_000_200, time_in_force=TimeInForce.GTC),
        market.flow.limit(Side.SELL, 1_000_100),
    ):
        market.hear(each)
    before, after = market.hear(market.flow.do(c.StartBusinessDay(date=20261124)))
    assert (before.date, before.begins, before.ends) == (20261123, False, True)
    assert letters([before]) == "DSSS"
    assert (after.date, after.begins, after.ends) == (20261124, True, False)
    assert letters([after]) == "SRRHHAASS"
    assert market.reader.system == "OSQ"


def test_what_comes_before_the_first_business_date_is_told_when_it_begins() -> None:
    flow, stream = VenueFlow(), ItchStream()
    assert (
        stream.apply(
            flow.do(c.StartEngine(epoch=1), c.AddSymbol(symbol="X", name="X", reference_price=Price(10_000)))
        )
        == []
    )
    (part,) = stream.apply(flow.do(c.StartBusinessDay(date=20261123)))
    assert letters([part]) == "SRHSS"


def test_an_incoming_order_shows_only_what_is_left_of_it() -> None:
    market = Market()
    market.hear(market.flow.limit(Side.SELL, 1_000_000, 100))
    parts = market.hear(market.flow.limit(Side.BUY, 1_000_000, 300))
    assert letters(parts) == "EA"
    assert values(parts, "A")[0]["shares"] == 200
    assert letters(market.hear(market.flow.limit(Side.SELL, 1_000_100, time_in_force=TimeInForce.IOC))) == ""


def test_less_quantity_is_a_cancel_and_another_price_a_replace_under_a_new_reference() -> None:
    market = Market()
    market.hear(market.flow.limit(Side.BUY, 999_900, 300))
    (order_id,) = market.stream.builder.orders
    amend = c.AmendOrder(
        order_id=OrderId(order_id),
        participant_id=ParticipantId(0),
        quantity=Quantity(200),
        price=Price(999_900),
    )
    assert letters(market.hear(market.flow.do(amend))) == "X"
    amend = c.AmendOrder(
        order_id=OrderId(order_id),
        participant_id=ParticipantId(0),
        quantity=Quantity(200),
        price=Price(999_800),
    )
    parts = market.hear(market.flow.do(amend))
    assert letters(parts) == "U"
    new_ref = values(parts, "U")[0]["new_ref"]
    assert new_ref == order_id | 1 << MOVE_SHIFT
    assert letters(market.hear(market.flow.limit(Side.SELL, 999_800, 50))) == "E"
    assert market.reader.orders[order_id | 1 << MOVE_SHIFT].shares == 150


def test_an_amend_that_trades_is_a_delete_an_execution_and_an_order() -> None:
    market = Market()
    market.hear(market.flow.limit(Side.BUY, 999_900, 300))
    market.hear(market.flow.limit(Side.SELL, 1_000_000, 100))
    order_id = next(iter(market.stream.builder.orders))
    amend = c.AmendOrder(
        order_id=OrderId(order_id),
        participant_id=ParticipantId(0),
        quantity=Quantity(300),
        price=Price(1_000_000),
    )
    assert letters(market.hear(market.flow.do(amend))) == "DEA"


def test_a_bust_breaks_the_trade_and_a_correction_prints_another() -> None:
    market = Market()
    market.hear(market.flow.trade(1_000_000))
    (match_id,) = market.flow.trades
    assert market.reader.tape == {match_id: (100, 1_000_000)}
    assert letters(market.hear(market.flow.correct(match_id, 999_000, 100))) == "BP"
    ((corrected, print_),) = market.reader.tape.items()
    assert (corrected != match_id, print_) == (True, (100, 999_000))
    parts = market.hear(market.flow.bust(match_id))
    assert values(parts, "B") == [{"match": corrected}]
    assert market.reader.tape == {}


def test_a_suspended_symbol_is_halted() -> None:
    market = Market()
    suspend = c.SetSymbolState(symbol_id=SymbolId(2), state=SymbolState.SUSPENDED, reason="news")
    parts = market.hear(market.flow.do(suspend))
    assert (letters(parts), market.reader.states) == ("H", {"AAPL": "T", "MSFT": "H"})
