"""The real ten minutes through the venue itself: every best quote, and every trade with its maker."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import OrderType, TimeInForce
from exchange.domain.units import AccountId, OrderId, ParticipantId, Price, Quantity, SymbolId
from exchange.matching.venue import Venue
from exchange.simulation.lobster import (
    Message,
    Quotes,
    read_exceptions,
    read_messages,
    read_opening_book,
    read_quotes,
)
from exchange.simulation.lobster_flow import (
    Action,
    Cancel,
    Enter,
    Execute,
    OrderFlow,
    Reduce,
    distinct_states,
)
from exchange.wire.records import decode_events, encode_command
from tests.simulation.lobster_data import AAPL, needs_lobster

SYMBOL = SymbolId(1)
MEMBER = ParticipantId(1)
RESTING, AGGRESSING = AccountId(1), AccountId(2)


class Replay:
    """One symbol of a venue, driven by the actions of a flow."""

    def __init__(self) -> None:
        self.venue = Venue()
        self.ids: dict[int, int] = {}
        self.prices: dict[int, int] = {}
        self.trades: list[tuple[Execute, e.TradeExecuted]] = []
        self.send(c.StartEngine(epoch=1))
        self.send(c.AddSymbol(symbol="AAPL", name="Apple", reference_price=Price(5_855_000)))
        self.send(c.CreateParticipant(name="replay"))
        self.send(c.CreateAccount(participant_id=MEMBER, name="resting"))
        self.send(c.CreateAccount(participant_id=MEMBER, name="aggressing"))

    def send(self, command: c.Command) -> list[e.Event]:
        record = encode_command(command, self.venue.command_sequence + 1)
        return decode_events(self.venue.apply(record, self.venue.time_ns + 1))

    def carry_out(self, action: Action) -> None:
        first, *others = self.send(self.command_of(action))
        if isinstance(action, Enter):
            assert isinstance(first, e.OrderAccepted)
            self.ids[action.order_id] = first.order_id
            self.prices[action.order_id] = action.price
        elif isinstance(action, Execute):
            self.trades += [(action, event) for event in others if isinstance(event, e.TradeExecuted)]

    def command_of(self, action: Action) -> c.Command:
        match action:
            case Enter():
                return self.order(RESTING, action, TimeInForce.GTC, str(action.order_id))
            case Execute():
                return self.order(AGGRESSING, action, TimeInForce.IOC, f"x{action.row}")
            case Reduce():
                return c.AmendOrder(
                    order_id=OrderId(self.ids[action.order_id]),
                    participant_id=MEMBER,
                    quantity=Quantity(action.quantity),
                    price=Price(self.prices[action.order_id]),
                )
            case Cancel():
                return c.CancelOrder(order_id=OrderId(self.ids[action.order_id]), participant_id=MEMBER)
        raise AssertionError(action)

    def order(
        self, account: AccountId, action: Enter | Execute, time_in_force: TimeInForce, name: str
    ) -> c.EnterOrder:
        return c.EnterOrder(
            account_id=account,
            symbol_id=SYMBOL,
            side=action.side,
            order_type=OrderType.LIMIT,
            time_in_force=time_in_force,
            quantity=Quantity(action.quantity),
            price=Price(action.price),
            client_order_id=name,
        )

    def quotes(self) -> Quotes:
        bids, asks = self.venue.depth(SYMBOL, 1)
        bid, bid_size = (bids[0].price, bids[0].quantity) if bids else (0, 0)
        ask, ask_size = (asks[0].price, asks[0].quantity) if asks else (0, 0)
        return Quotes(ask, ask_size, bid, bid_size)


def play(flow: OrderFlow, replay: Replay, messages: list[Message]) -> list[tuple[int, Quotes]]:
    """Carry out the whole file and return the best quotes after each message."""
    for entered in flow.open_with(read_opening_book(AAPL.opening)):
        replay.carry_out(entered)
    quotes = []
    for message in messages:
        action = flow.action(message)
        if action is not None:
            replay.carry_out(action)
        quotes.append((message.row, replay.quotes()))
    return quotes


@needs_lobster
def test_the_engine_replay_of_the_real_ten_minutes_comes_out_exactly() -> None:
    flow = OrderFlow("messages", read_exceptions(AAPL.exceptions))
    replay = Replay()
    quotes = play(flow, replay, list(read_messages(AAPL.messages)))

    assert distinct_states(quotes) == [tuple(state) for state in read_quotes(AAPL.quotes)]
    assert len(distinct_states(quotes)) == 6_503

    assert (len(replay.trades), sum(trade.quantity for _, trade in replay.trades)) == (932, 71_885)
    for action, trade in replay.trades:
        assert (trade.quantity, trade.price) == (action.quantity, action.price)
        assert trade.maker_order_id == replay.ids[action.maker]
    assert (flow.counts.out_of_turn, flow.counts.out_of_turn_shares) == (18, 1_100)

    bids, asks = replay.venue.orders(SYMBOL)
    resting = {order.order_id: (order.side, order.price, order.leaves) for order in [*bids, *asks]}
    expected = {replay.ids[i]: (o.side, o.price, o.leaves) for i, o in flow.orders.items()}
    assert resting == expected
    assert len(resting) == 259
    sides = [sum(order.leaves for order in side) for side in (bids, asks)]
    assert (len(bids), len(asks), *sides) == (144, 115, 21_784, 24_009)
    assert not replay.venue.counters.rejects


@needs_lobster
def test_with_the_exceptions_sent_as_orders_the_quotes_part_as_far_as_is_known() -> None:
    flow = OrderFlow("messages")
    replay = Replay()
    messages = list(read_messages(AAPL.messages))
    quotes = play(flow, replay, messages)

    published = [tuple(state) for state in read_quotes(AAPL.quotes)]
    states = distinct_states(quotes)
    assert (len(states), len(set(states) & set(published))) == (6_331, 6_230)
    assert states[:1_085] == published[:1_085]
    assert (len(replay.trades), sum(trade.quantity for _, trade in replay.trades)) == (969, 72_975)
