"""The statement of one account for one trading day: what it traded, what that cost, what it has, and what it is worth.

It is made from the trades as they stand: one that was busted later is not in it, a corrected one stands corrected.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from exchange.domain.corporate_action import Split
from exchange.domain.order import Side
from exchange.domain.units import Money, Price, sequence_of
from exchange.post_trade.fees import FeeSchedule
from exchange.post_trade.lots import Fill, Holding, Lot
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TradeState

FILLS_MAX = 10_000
"""Fills that a statement lists; the others are in its sums and are counted."""
LOTS_MAX = 1_000
"""Lots that a line lists, oldest first."""

Mark = Callable[[int], Price]
"""Gives the price at which a symbol id is valued."""


class ChargedFill(msgspec.Struct, frozen=True):
    """A fill with what it costs. charges: (name, money)."""

    fill: Fill
    charges: tuple[tuple[str, Money], ...]

    @property
    def fees(self) -> Money:
        """Return the sum of the charges."""
        return Money(sum(amount for _, amount in self.charges))


class SplitFact(NamedTuple):
    """A split as its event told of it. cash_price: at which fractions were paid out; date: the UTC day, YYYYMMDD."""

    symbol_id: int
    sequence: int
    date: int
    split: Split
    cash_price: Price


class Line(msgspec.Struct, kw_only=True):
    """One symbol. opening, closing: shares from trading before and after the day; realised: on the day.

    split: shares that splits of the day made of them, or took; unrealised: on all that is open, at the mark; lots: what
    is open.
    """

    symbol_id: int
    opening: int = 0
    split: int = 0
    bought: int = 0
    sold: int = 0
    bought_notional: int = 0
    sold_notional: int = 0
    realised_fifo: int = 0
    realised_average: int = 0
    unrealised_fifo: int = 0
    unrealised_average: int = 0
    fees: int = 0
    average_price: int = 0
    mark: int = 0
    lots: list[Lot] = []

    @property
    def closing(self) -> int:
        """Return the shares from trading after the day."""
        return self.opening + self.bought - self.sold + self.split


class Statement(msgspec.Struct, kw_only=True):
    """A statement. fees: of the day, by name; fills_count: of all, where not all are listed."""

    account_id: int
    business_date: int
    lines: list[Line]
    fills: list[ChargedFill]
    fills_count: int
    fees: dict[str, int]


def fills_of(account_id: int, trade: Trade) -> list[Fill]:
    """Return an account's fills in a trade: one, or both where it traded with itself; none of a busted trade."""
    if trade.state == TradeState.BUSTED:
        return []
    sides = ((trade.buy_account_id, Side.BUY, 1), (trade.sell_account_id, Side.SELL, -1))
    return [
        Fill(
            match_id=trade.match_id,
            symbol_id=trade.symbol_id,
            quantity=sign * trade.quantity,
            price=trade.price,
            is_maker=trade.taker_side != side,
            time_ns=trade.executed_ns,
            business_date=trade.business_date,
        )
        for owner, side, sign in sides
        if owner == account_id
    ]


def make_statement(
    account_id: int,
    business_date: int,
    trades: Iterable[Trade],
    schedule: FeeSchedule,
    mark: Mark,
    splits: Iterable[SplitFact] = (),
) -> Statement:
    """Make a statement from all trades of an account up to the day, in their order; later ones are passed by.

    splits: of all symbols, in their order; those up to the day count.
    """
    making = _Making(account_id, business_date, schedule)
    coming = deque(fact for fact in splits if fact.date <= business_date)
    for trade in trades:
        if trade.business_date <= business_date:
            while coming and coming[0].sequence < sequence_of(trade.match_id):
                making.split(coming.popleft())
            for fill in fills_of(account_id, trade):
                making.take(fill)
    for fact in coming:
        making.split(fact)
    return making.finish(mark)


class _Making:
    """A statement while its fills come in."""

    def __init__(self, account_id: int, business_date: int, schedule: FeeSchedule) -> None:
        self.statement = Statement(
            account_id=account_id, business_date=business_date, lines=[], fills=[], fills_count=0, fees={}
        )
        self._schedule = schedule
        self._holdings: dict[int, Holding] = {}
        self._lines: dict[int, Line] = {}
        self._volume, self._volume_before, self._day = 0, 0, 0

    def take(self, fill: Fill) -> None:
        self._count(fill)
        holding = self._holdings.setdefault(fill.symbol_id, Holding())
        line = self._lines.setdefault(fill.symbol_id, Line(symbol_id=fill.symbol_id))
        fifo, average = holding.realised_fifo, holding.realised_average
        holding.take(fill.quantity, fill.price, fill.match_id, fill.time_ns)
        if fill.business_date < self.statement.business_date:
            line.opening += fill.quantity
            return
        line.realised_fifo += holding.realised_fifo - fifo
        line.realised_average += holding.realised_average - average
        if fill.quantity > 0:
            line.bought += fill.shares
            line.bought_notional += fill.shares * fill.price
        else:
            line.sold += fill.shares
            line.sold_notional += fill.shares * fill.price
        self._charge(line, fill)

    def split(self, fact: SplitFact) -> None:
        holding = self._holdings.get(fact.symbol_id)
        if holding is None:
            return
        line, before = self._lines[fact.symbol_id], (holding.realised_fifo, holding.realised_average)
        shares = holding.quantity
        holding.split(fact.split, fact.cash_price)
        if fact.date < self.statement.business_date:
            line.opening = holding.quantity
            return
        line.split += holding.quantity - shares
        line.realised_fifo += holding.realised_fifo - before[0]
        line.realised_average += holding.realised_average - before[1]

    def _count(self, fill: Fill) -> None:
        """Count the shares of the month up to the day before, by which tiers of fees go."""
        if fill.business_date != self._day:
            is_same_month = fill.business_date // 100 == self._day // 100
            self._volume_before = self._volume = self._volume if is_same_month else 0
            self._day = fill.business_date
        self._volume += fill.shares

    def _charge(self, line: Line, fill: Fill) -> None:
        charged = ChargedFill(fill, tuple(self._schedule.charges(fill, self._volume_before)))
        line.fees += charged.fees
        statement = self.statement
        for name, amount in charged.charges:
            statement.fees[name] = statement.fees.get(name, 0) + amount
        statement.fills_count += 1
        if len(statement.fills) < FILLS_MAX:
            statement.fills.append(charged)

    def finish(self, mark: Mark) -> Statement:
        for symbol_id, line in sorted(self._lines.items()):
            holding = self._holdings[symbol_id]
            line.mark = mark(symbol_id)
            line.average_price = holding.average_price
            line.unrealised_fifo, line.unrealised_average = holding.unrealised(Price(line.mark))
            line.lots = list(holding.lots)[:LOTS_MAX]
            self.statement.lines.append(line)
        return self.statement
