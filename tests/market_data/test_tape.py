"""The tape against a count by hand: trades, busts and corrections in any mixture, batched in any way."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.symbol import SymbolState
from exchange.domain.trade import BustReason
from exchange.domain.units import parse_time
from exchange.market_data.candles import CandleKey, candle_start
from exchange.market_data.statistics import Figures
from exchange.market_data.tape import Tape, TapeUpdate, figures_of_trades
from exchange.market_data.trade import TradeStatus
from exchange.wire.records import encode_event
from tests.market_data.memory_history import MemoryHistory

START = parse_time("2026-11-23T23:59:50Z")
SECOND = 1_000_000_000
INTERVALS = (1, 5, 60, 86_400)


class Stream:
    """Writes events with rising sequences and times."""

    def __init__(self) -> None:
        self.sequence = 0
        self.time_ns = START
        self.trades: dict[int, tuple[int, int]] = {}

    def header(self, symbol_id: int = 0) -> dict[str, Any]:
        self.sequence += 1
        return {
            "sequence": self.sequence,
            "command_sequence": self.sequence,
            "time_ns": self.time_ns,
            "epoch": 1,
            "partition": 2,
            "symbol_id": symbol_id,
        }

    def date(self, date: int) -> bytes:
        return encode_event(e.BusinessDayStarted(**self.header(), date=date, ends_ns=0))

    def trade(self, price: int, quantity: int, symbol_id: int = 1) -> bytes:
        header = self.header(symbol_id)
        self.trades[self.sequence] = (price, quantity)
        return encode_event(
            e.TradeExecuted(
                **header,
                maker_order_id=1,
                taker_order_id=2,
                maker_account_id=3,
                taker_account_id=4,
                price=price,
                quantity=quantity,
                reference_price=99,
                maker_leaves=0,
                taker_leaves=0,
                taker_side=Side.BUY,
                state=SymbolState.ACTIVE,
            )
        )

    def facts(self, sequence: int, symbol_id: int) -> dict[str, Any]:
        price, quantity = self.trades[sequence]
        return self.header(symbol_id) | {
            "match_id": (2 << 56) + sequence,
            "ruling_id": 5,
            "reason": BustReason.ERRONEOUS,
            "price": price,
            "quantity": quantity,
            "buy_account_id": 4,
            "sell_account_id": 3,
            "buy_order_id": 2,
            "sell_order_id": 1,
            "executed_ns": START,
        }

    def bust(self, sequence: int, symbol_id: int = 1) -> bytes:
        return encode_event(e.TradeBusted(**self.facts(sequence, symbol_id)))

    def correct(self, sequence: int, price: int, quantity: int, symbol_id: int = 1) -> bytes:
        facts = self.facts(sequence, symbol_id)
        self.trades[sequence] = (price, quantity)
        return encode_event(e.TradeCorrected(**facts, new_price=price, new_quantity=quantity))


def new_tape() -> tuple[Tape, MemoryHistory]:
    history = MemoryHistory()
    return Tape(history, INTERVALS, 20261123), history


def day(update: TapeUpdate) -> Figures:
    assert update.day.figures is not None
    return update.day.figures


def test_a_trade_is_printed_with_the_candles_it_goes_into() -> None:
    stream, (tape, history) = Stream(), new_tape()
    (update,) = tape.apply(stream.trade(100, 10))
    assert update.trade.match_id == (2 << 56) + 1
    assert update.trade.taker_side is Side.BUY
    assert (update.sequence, update.prev_sequence, update.before) == (1, 0, None)
    assert [each.key.interval_s for each in update.candles] == list(INTERVALS)
    assert history.trades == {}
    tape.save()
    assert history.trades == {1: update.trade}
    assert history.candles == {each.key: each.figures for each in update.candles}


def test_each_update_has_its_candles_as_they_were_after_it_however_the_events_are_cut() -> None:
    stream, (at_once, history), (singly, other) = Stream(), new_tape(), new_tape()
    events = [stream.trade(100 + at % 7, 1 + at, symbol_id=1 + at % 2) for at in range(30)]
    events += [stream.bust(5), *(stream.trade(90, 3) for _ in range(3))]
    updates = at_once.apply(b"".join(events))
    for event, update in zip(events, updates, strict=True):
        (alone,) = singly.apply(event)
        singly.save()
        assert alone.candles == update.candles
        assert alone.day == update.day == update.candles[-1]
        assert [update.candle_at(place) for place in range(len(INTERVALS))] == list(update.candles)
    at_once.save()
    assert history.candles == other.candles


def test_updates_of_a_symbol_are_chained_across_trades_and_busts() -> None:
    stream, (tape, _) = Stream(), new_tape()
    events = [stream.trade(100, 10), stream.trade(50, 10, symbol_id=2), stream.trade(101, 10), stream.bust(1)]
    updates = tape.apply(b"".join(events))
    assert [(each.trade.symbol_id, each.prev_sequence) for each in updates] == [
        (1, 0),
        (2, 0),
        (1, 1),
        (1, 3),
    ]


def test_a_bust_takes_the_trade_out_of_every_figure() -> None:
    stream, (tape, history) = Stream(), new_tape()
    events = [stream.trade(100, 10), stream.trade(500, 20), stream.trade(101, 30), stream.bust(2)]
    bust = tape.apply(b"".join(events))[-1]
    assert bust.before is not None
    assert bust.before.status == TradeStatus.EXECUTED
    assert (bust.trade.status, bust.trade.reason, bust.trade.ruling_id) == (
        TradeStatus.BUSTED,
        BustReason.ERRONEOUS,
        5,
    )
    assert day(bust) == Figures(1, 3, 100, 101, 100, 101, 40, 4_030, 2)
    tape.save()
    assert all(figures == day(bust) for figures in history.candles.values())


def test_a_bust_of_the_only_trade_removes_its_candles_and_the_next_begins_them_anew() -> None:
    stream, (tape, history) = Stream(), new_tape()
    *_, bust = tape.apply(stream.trade(100, 10) + stream.bust(1))
    assert [each.figures for each in bust.candles] == [None] * 4
    assert history.candles == {}
    assert history.trades[1].status == TradeStatus.BUSTED
    (update,) = tape.apply(stream.trade(90, 5))
    assert day(update) == Figures(3, 3, 90, 90, 90, 90, 5, 450, 1)


def test_a_bust_is_final_and_counts_a_correction_before_it() -> None:
    stream, (tape, _) = Stream(), new_tape()
    *_, correction, bust = tape.apply(stream.trade(500, 10) + stream.correct(1, 100, 4) + stream.bust(1))
    assert day(correction) == Figures(1, 1, 100, 100, 100, 100, 4, 400, 1)
    assert (bust.trade.price, bust.trade.quantity, bust.trade.version) == (100, 4, 3)


def test_a_bust_of_an_earlier_date_leaves_the_present_one_alone() -> None:
    stream, (tape, _) = Stream(), new_tape()
    first = stream.trade(100, 10) + stream.trade(110, 10)
    roll = stream.date(20261124) + stream.trade(120, 10)
    tape.apply(first + roll)
    (bust,) = tape.apply(stream.bust(1))
    assert day(bust) == Figures(2, 2, 110, 110, 110, 110, 10, 1_100, 1)
    (update,) = tape.apply(stream.trade(130, 10))
    assert update.trade.business_date == 20261124
    assert day(update).trades == 2


def test_without_a_business_date_the_date_of_the_time_holds() -> None:
    stream = Stream()
    (update,) = Tape(MemoryHistory(), INTERVALS).apply(stream.trade(100, 10))
    assert update.trade.business_date == 20261123


def test_a_tape_that_starts_again_goes_on_with_the_candles_that_are_kept() -> None:
    stream, (tape, history) = Stream(), new_tape()
    tape.apply(stream.trade(100, 10))
    tape.save()
    (update,) = Tape(history, INTERVALS, 20261123).apply(stream.trade(90, 10))
    assert day(update) == Figures(1, 2, 100, 100, 90, 90, 20, 1_900, 2)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["trade", "trade", "trade", "bust", "correct", "date", "batch", "late"]),
        st.integers(1, 50),
        st.integers(0, 20),
        st.integers(1, 2),
    ),
    max_size=40,
)


@given(STEPS)
def test_candles_equal_a_count_by_hand_whatever_is_busted_or_corrected(steps: list[Any]) -> None:
    stream, (tape, history) = Stream(), new_tape()
    batch, alive, date = b"", {}, 20261123
    for what, number, other, symbol_id in steps:
        stream.time_ns += other * SECOND // 4
        if what == "trade":
            batch += stream.trade(number, other + 1, symbol_id)
            alive[stream.sequence] = symbol_id
        elif what == "late":
            stream.time_ns = max(START, stream.time_ns - other * SECOND)
        elif what == "date":
            date += 1
            batch += stream.date(date)
        elif what == "batch":
            tape.apply(batch)
            tape.save()
            batch = b""
        elif alive:
            sequence = list(alive)[other % len(alive)]
            if what == "bust":
                batch += stream.bust(sequence, alive.pop(sequence))
            else:
                batch += stream.correct(sequence, number, other + 1, alive[sequence])
    tape.apply(batch)
    tape.save()
    assert history.candles == counted_by_hand(history)


def counted_by_hand(history: MemoryHistory) -> dict[CandleKey, Figures]:
    groups: dict[CandleKey, list[Any]] = {}
    for trade in history.trades.values():
        for interval_s in INTERVALS:
            start_ns = candle_start(interval_s, trade.business_date, trade.executed_ns)
            key = CandleKey(trade.symbol_id, interval_s, trade.business_date, start_ns)
            groups.setdefault(key, []).append(trade)
    return {key: figures for key, trades in groups.items() if (figures := figures_of_trades(trades))}


def test_candles_that_were_removed_are_rebuilt_from_the_trades() -> None:
    stream, (tape, history) = Stream(), new_tape()
    for step in range(30):
        stream.time_ns += SECOND
        tape.apply(stream.trade(100 + step, 10))
    tape.apply(stream.bust(3) + stream.correct(5, 90, 1))
    tape.save()
    before = dict(history.candles)
    history.candles.clear()
    Tape(history, INTERVALS).rebuild(history.trades.values())
    assert history.candles == before
