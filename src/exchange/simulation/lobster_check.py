"""Compares what a reporter's feed showed during a replay with what is known: best quotes, trades, what is left.

Pure: the feed's messages and the engine's answers in, figures out. A message of the feed belongs to the row whose
action was answered last at or before its sequence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from exchange.domain.order import Side
from exchange.domain.units import parse_price
from exchange.simulation.lobster import Quotes, QuoteState
from exchange.simulation.lobster_flow import BestPrices, Execute, FlowOrder, distinct_states
from exchange.wire.rest.market import TradeView
from exchange.wire.rest.stream import BookDelta, BookSnapshot, LevelText

DIFFERENCES_KEPT = 10


class QuoteRecorder:
    """Rebuilds a book from a feed and keeps its best quotes after each message.

    states: (sequence, best quotes), rising; gaps: messages that did not follow the one before.
    """

    def __init__(self) -> None:
        self.states: list[tuple[int, Quotes]] = []
        self.gaps = 0
        self.deltas = 0
        self._best = BestPrices()
        self._sequence = 0

    def take_snapshot(self, message: BookSnapshot) -> None:
        """Begin with a snapshot."""
        self._best.clear()
        self._take(message.seq, message.bids, message.asks)

    def take_delta(self, message: BookDelta) -> None:
        """Change the book."""
        self.gaps += message.prev_seq != self._sequence
        self.deltas += 1
        self._take(message.seq, message.bids, message.asks)

    def _take(self, sequence: int, bids: Iterable[LevelText], asks: Iterable[LevelText]) -> None:
        for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
            for price, quantity, _ in levels:
                self._best.set(side, parse_price(price), int(quantity))
        self._sequence = sequence
        quotes = self._best.quotes()
        if not self.states or self.states[-1][1] != quotes:
            self.states.append((sequence, quotes))


class Comparison(NamedTuple):
    """How many of what was expected came out. differences: the first few of the others, in words."""

    what: str
    expected: int
    equal: int
    seen: int
    differences: list[str]

    @property
    def holds(self) -> bool:
        """Tell whether all came out, and nothing else."""
        return self.expected == self.equal == self.seen


def compare_quotes(
    states: Sequence[tuple[int, Quotes]],
    sequences: Sequence[tuple[int, int]],
    expected: Sequence[QuoteState],
    after_row: int = 0,
    unanswered: Mapping[int, int] | None = None,
) -> Comparison:
    """Compare best quotes at each row from `after_row` on. sequences: (sequence of an answer, row), rising.

    unanswered: row without an answer → the row answered before, with which its state counts.
    """
    seen = rows_of(states, sequences, after_row)
    moved = unanswered or {}
    last_of_row = {moved.get(state.row, state.row): state.quotes for state in expected}
    wanted = dict(state for state in distinct_states(last_of_row.items()) if state[0] > after_row)
    equal = sum(wanted.get(row) == quotes for row, quotes in seen)
    shown = dict(seen)
    differences = [
        f"row {row}: expected {_words(wanted.get(row))}, seen {_words(shown.get(row))}"
        for row in sorted(wanted.keys() | shown.keys())
        if wanted.get(row) != shown.get(row)
    ]
    return Comparison("best-quote states", len(wanted), equal, len(seen), differences[:DIFFERENCES_KEPT])


def rows_of(
    states: Sequence[tuple[int, Quotes]], sequences: Sequence[tuple[int, int]], after_row: int
) -> list[tuple[int, Quotes]]:
    """Turn (sequence, quotes) into (row, quotes): the distinct states after each row, the first at once.

    The book before the first row, such as the opening book, is no state.
    """
    answers = [sequence for sequence, _ in sequences]
    last_of_row: dict[int, Quotes] = {}
    before: Quotes | None = None
    for sequence, quotes in states:
        at = bisect_right(answers, sequence) - 1
        row = sequences[at][1] if at >= 0 else 0
        if row <= after_row:
            before = quotes
        else:
            last_of_row[row] = quotes
    first = after_row + 1
    if before is not None and after_row == 0:
        last_of_row = {first: before, **last_of_row} if first not in last_of_row else last_of_row
        return distinct_states(sorted(last_of_row.items()))
    start = [(after_row, before)] if before is not None else []
    return [
        state for state in distinct_states([*start, *sorted(last_of_row.items())]) if state[0] > after_row
    ]


def compare_trades(
    trades: Sequence[TradeView], executions: Mapping[str, Execute], engine_ids: Mapping[int, str]
) -> Comparison:
    """Compare the trades of the feed with the executions of the file, maker, price and quantity.

    executions: order id of the incoming order → the execution.
    """
    equal = 0
    differences = []
    for trade in trades:
        execution = executions.get(trade.taker_order_id)
        if execution is None:
            differences.append(
                f"trade {trade.match_id}: by order {trade.taker_order_id}, which is none of the file"
            )
            continue
        seen = (trade.maker_order_id, parse_price(trade.price), int(trade.qty))
        wanted = (engine_ids.get(execution.maker, ""), execution.price, execution.quantity)
        equal += seen == wanted
        if seen != wanted:
            differences.append(f"row {execution.row}: expected maker, price, shares {wanted}, seen {seen}")
    return Comparison(
        "trades with the named maker", len(executions), equal, len(trades), differences[:DIFFERENCES_KEPT]
    )


def compare_remaining(
    resting: Mapping[str, tuple[Side, int, int]],
    orders: Mapping[int, FlowOrder],
    engine_ids: Mapping[int, str],
) -> Comparison:
    """Compare what rests in the book, order id → (side, price, shares), with the orders that the file leaves."""
    wanted = {engine_ids.get(name, ""): (o.side, o.price, o.leaves) for name, o in orders.items()}
    equal = sum(resting.get(order_id) == order for order_id, order in wanted.items())
    differences = [
        f"order {order_id}: expected {wanted.get(order_id)}, seen {resting.get(order_id)}"
        for order_id in sorted(wanted.keys() | resting.keys())
        if wanted.get(order_id) != resting.get(order_id)
    ]
    return Comparison("remaining orders", len(wanted), equal, len(resting), differences[:DIFFERENCES_KEPT])


def _words(quotes: Quotes | None) -> str:
    if quotes is None:
        return "no change"
    return f"{quotes.bid_size} x {quotes.bid} / {quotes.ask} x {quotes.ask_size}"
