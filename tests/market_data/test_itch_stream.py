"""The ITCH feed against the venue: a reader that knows nothing else has its books, states and tape."""

from __future__ import annotations

from collections import Counter

import pytest

from exchange.domain import commands as c
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.participant import Role
from exchange.domain.phase import Phase
from exchange.domain.risk import RiskScope
from exchange.domain.symbol import SymbolState
from exchange.domain.units import AccountId, OrderId, ParticipantId, Price, Quantity, SymbolId
from exchange.market_data.itch_stream import MOVE_SHIFT, DayPart, ItchStream, order_id_of, variation_of
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


def led(market: Market, phase: Phase) -> list[DayPart]:
    return market.hear(market.flow.do(c.SetPhase(symbol_id=SymbolId(1), phase=phase)))


def test_an_auction_is_told_from_its_first_indication_to_its_cross() -> None:
    market = Market()
    stock = SYMBOLS[0]
    collared = c.SetAuctionTerms(symbol_id=SymbolId(1), collar_bps=10, extension_ns=10**12, extensions_max=1)
    market.hear(market.flow.do(collared))
    led(market, Phase.OPENING_AUCTION)
    assert market.reader.states[stock] == "Q"
    order = {
        "symbol_id": SymbolId(1), "order_type": OrderType.LIMIT, "time_in_force": TimeInForce.DAY,
        "price": Price(1_050_000),
    }  # fmt: skip
    for account, side, quantity in ((1, Side.BUY, 10), (2, Side.SELL, 4)):
        entered = c.EnterOrder(account_id=AccountId(account), side=side, quantity=Quantity(quantity), **order)  # type: ignore[arg-type]
        market.hear(market.flow.do(entered))
    told = market.reader.auctions["I"][-1]
    assert (told["near"], told["paired"], told["imbalance"], told["direction"]) == (1_050_000, 4, 6, "B")
    assert (told["cross_type"], told["variation"]) == ("O", "5")
    market.hear(market.flow.do(
        c.SchedulePhase(symbol_id=SymbolId(1), phase=Phase.CONTINUOUS, at_ns=market.flow.time_ns + 10**9)
    ))  # fmt: skip
    market.flow.time_ns += 10**9
    market.hear(market.flow.do(c.Tick()))
    assert [(told["upper"], told["extension"]) for told in market.reader.auctions["J"]] == [(1_001_000, 1)]
    led(market, Phase.CONTINUOUS)
    assert market.reader.crosses == [(stock, "O", 4, 1_050_000)]
    assert market.reader.tape == {}, "the cross has the volume"
    assert [shares for _, _, shares in market.reader.queue(stock, "B")] == [6]
    assert market.reader.states[stock] == "T"


def test_bands_a_pause_and_the_breaker_are_told() -> None:
    market = Market()
    flow, aapl = market.flow, SymbolId(1)
    order = {
        "symbol_id": aapl, "order_type": OrderType.LIMIT, "time_in_force": TimeInForce.DAY, "side": Side.BUY,
        "account_id": AccountId(1), "quantity": Quantity(10), "price": Price(1_000_000_000),
    }  # fmt: skip
    parts = market.hear(flow.do(c.SetPriceBands(symbol_id=aapl, tier=1)))
    parts += market.hear(flow.do(c.EnterOrder(**order)))  # type: ignore[arg-type]
    flow.time_ns += 15 * 10**9
    parts += market.hear(flow.do(c.Tick()))
    parts += market.hear(flow.do(c.SetMarketBreaker(close_level=50_000_000)))
    restored = ItchStream.restore(market.stream.snapshot())
    parts += market.hear(told := flow.do(c.ReportIndexLevel(level=40_000_000)))
    assert letters(restored.apply(told)) == letters(parts[-1:])
    messages = [itch.decode(message) for part in parts for message in part.messages]
    said = [
        (each.letter, *(value for name, value in each.values.items() if name in WANTED))
        for each in messages
        if each.letter in "RHJVW"
    ]
    lower, upper = next(each for each in messages if each.letter == "J").values["lower"], flow.venue
    assert said[:2] == [("R", "1"), ("H", "P", "LUDP")]
    assert said[2][0] == "J"
    assert said[3:6] == [("V", 465 * 10**9, 435 * 10**9, 400 * 10**9), ("W", "3"), ("H", "H", "MWC3")]
    assert 0 < lower < upper.reference_price(1)


WANTED = ("luld_tier", "state", "reason", "level", "level_1", "level_2", "level_3", "extension")


@pytest.mark.parametrize(
    ("price", "code"), [(0, b" "), (1_009, b"L"), (1_010, b"1"), (900, b"A"), (1_200, b"B"), (5_000, b"C")]
)
def test_how_far_an_indicated_price_is_has_a_code(price: int, code: bytes) -> None:
    assert variation_of(price, 1_000) == code


@pytest.mark.parametrize("ratio", [(2, 1), (1, 3), (3, 2)])
def test_after_a_split_a_reader_has_the_venues_books(ratio: tuple[int, int]) -> None:
    market = Market(seed=ratio[0])
    venue = market.flow.venue
    for _ in range(200):
        market.hear(market.flow.random_events())
    for price in (900_000, 901_000, 900_000):
        market.hear(market.flow.limit(Side.BUY, price, 30))
        market.hear(market.flow.limit(Side.SELL, price + 200_000, 30, display_quantity=10))
    split = c.SplitSymbol(symbol_id=SymbolId(1), new_shares=ratio[0], old_shares=ratio[1])
    market.hear(market.flow.do(c.SetSymbolState(symbol_id=SymbolId(1), state=SymbolState.SUSPENDED), split))
    for side, orders in zip("BS", venue.orders(1), strict=True):
        queue = market.reader.queue(SYMBOLS[0], side)
        assert [(order_id_of(ref), *rest) for ref, *rest in queue] == [
            (o.order_id, o.price, o.displayed) for o in orders
        ]


def test_a_new_ticker_has_a_directory_message_and_the_old_locate() -> None:
    market = Market()
    suspended = c.SetSymbolState(symbol_id=SymbolId(1), state=SymbolState.SUSPENDED)
    parts = market.hear(market.flow.do(suspended, c.RenameSymbol(symbol_id=SymbolId(1), symbol="APPL")))
    messages = [itch.decode(message) for part in parts for message in part.messages]
    assert [(m.letter, m.stock_locate, m.values["stock"]) for m in messages[1:]] == [
        ("R", 1, "APPL"),
        ("H", 1, "APPL"),
    ]


def test_a_restriction_of_short_sales_is_told_when_it_begins_and_each_day_after() -> None:
    market = Market()
    market.hear(market.flow.do(c.SetShortSaleTerms(symbol_id=SymbolId(1), trigger_bps=1_000)))
    market.hear(market.flow.limit(Side.BUY, 900_000, 5))
    told = market.hear(market.flow.limit(Side.SELL, 900_000, 5))
    assert [each["action"] for each in values(told, "Y")] == ["1"]
    following = [market.hear(market.flow.do(c.StartBusinessDay(date=20261124 + day))) for day in range(3)]
    assert ["".join(str(each["action"]) for each in values(parts, "Y")) for parts in following] == [
        "22",
        "20",
        "0",
    ]


def test_what_the_kill_switch_blocks_is_halted_until_it_is_let_go() -> None:
    market = Market()
    block = {"key_id": 0, "role": Role.RISK}
    one = market.hear(market.flow.do(c.BlockTrading(scope=RiskScope.SYMBOL, subject_id=1, **block)))
    assert [(each["stock"], each["state"]) for each in values(one, "H")] == [("AAPL", "H")]
    market.hear(market.flow.do(c.BlockTrading(scope=RiskScope.MARKET, subject_id=0, **block)))
    assert market.reader.states == {"AAPL": "H", "MSFT": "H"}
    again = ItchStream.restore(market.stream.snapshot())
    assert again.snapshot() == market.stream.snapshot()
    lift = {"key_id": 0, "role": Role.OPERATOR}
    market.hear(market.flow.do(c.UnblockTrading(scope=RiskScope.MARKET, subject_id=0, **lift)))
    assert market.reader.states == {"AAPL": "H", "MSFT": "T"}
    market.hear(market.flow.do(c.UnblockTrading(scope=RiskScope.SYMBOL, subject_id=1, **lift)))
    assert market.reader.states == {"AAPL": "T", "MSFT": "T"}
    whom = c.BlockTrading(scope=RiskScope.PARTICIPANT, subject_id=1, cancels_orders=False, **block)
    assert letters(market.hear(market.flow.do(whom))) == ""
