"""Corporate actions in the naive model: rulebook 9."""

from __future__ import annotations

import re
from fractions import Fraction

from exchange.domain import commands as c
from exchange.domain.corporate_action import HoldingCause
from exchange.domain.order import CancelReason, OrderFlag, Side, TimeInForce
from exchange.domain.phase import Phase
from exchange.domain.reasons import Reason
from exchange.domain.risk import LimitKind
from exchange.domain.units import MONEY_MAX, NOTIONAL_MAX, PRICE_MAX, QUANTITY_MAX
from tests.matching.naive_phases import NaivePhases
from tests.matching.naive_risk import SYMBOL
from tests.matching.naive_values import Order, Symbol

TICKER = re.compile(r"[A-Z0-9.-]{1,8}\Z")
RATIOS = range(1, 10_001)
SLICES_MAX = 100
Reasons = dict[Reason, bool]


class NaiveCorporateActions(NaivePhases):
    """Splits, renames and pays. All that changes is changed here, in the sequence in which it is told."""

    # --- 9.2 to 9.6 split ----------------------------------------------------------------------------

    def split_reasons(self, command: c.SplitSymbol) -> Reasons:
        """Tell what is wrong with a split."""
        symbol = self.symbols.get(command.symbol_id)
        if not symbol:
            return {Reason.UNKNOWN_SYMBOL: True}
        in_range = command.new_shares in RATIOS and command.old_shares in RATIOS
        differs = command.new_shares != command.old_shares
        reference, shares = 0, [0]
        if in_range:
            ratio = Fraction(command.new_shares, command.old_shares)
            reference = symbol.tick_down(int(self.reference(command.symbol_id) / ratio))
            shares = [int(held * ratio) for _, held in self._holders(command.symbol_id)]
        return {
            Reason.NAME_INVALID: command.note != command.note.strip(),
            Reason.CORPORATE_ACTION_NOT_NOW: not is_quiet(symbol),
            Reason.SPLIT_INVALID: not (in_range and differs and 0 < reference <= PRICE_MAX)
            or command.cash_price > PRICE_MAX,
            Reason.HOLDING_TOO_LARGE: any(abs(held) > MONEY_MAX for held in shares),
        }

    def split(self, command: c.SplitSymbol) -> None:
        """Split a symbol: prices, orders, limits, what the day added up, and holdings."""
        number, symbol = command.symbol_id, self.symbols[command.symbol_id]
        ratio = Fraction(command.new_shares, command.old_shares)
        old, last = self.reference(number), self.last_price(number)
        reference = symbol.tick_down(int(old / ratio))
        cash_price = command.cash_price or reference
        self.said.append(
            ("split", number, command.new_shares, command.old_shares, old, reference, cash_price)
        )
        symbol.history.append(reference)
        for trade in self.trades:
            trade.before_split = trade.before_split or trade.symbol == number
        if last:
            self.lasts.append((number, between(1, int(last / ratio), PRICE_MAX)))
        if symbol.trigger_bps:
            symbol.closing = between(1, int(symbol.closing / ratio), PRICE_MAX)
        entries = [listing.entry for listing in self.lists]
        dependent = [o for o in self.orders if o.peg or o.quoted or o.id in entries]
        self.kill([o for o in dependent if o.symbol == number], CancelReason.CORPORATE_ACTION)
        for side in (Side.BUY, Side.SELL) if ratio > 1 else (Side.SELL, Side.BUY):
            for order in self._orders_of(number, side):
                self._split_order(order, symbol, ratio)
        self.follow_action(number)
        self._split_limits(number, ratio)
        for subject, day in self.subjects.items():
            bought = self.day_shares(subject, number)
            day.splits.append((number, int(bought * ratio) - bought, in_lieu(bought, ratio, cash_price)))
        for account, shares in self._holders(number):
            self._move(account, number, int(shares * ratio) - shares, HoldingCause.SPLIT)
            self._move(account, 0, in_lieu(shares, ratio, cash_price), HoldingCause.CASH_IN_LIEU)

    def _split_order(self, order: Order, symbol: Symbol, ratio: Fraction) -> None:
        buys, lot = order.side == Side.BUY, symbol.lot
        price, stop, trails = order.price / ratio, order.stop / ratio, order.trail or order.trail_bps
        new_stop = up(stop) if buys else int(stop)
        if not trails:
            new_stop = symbol.tick_up(new_stop) if buys else symbol.tick_down(new_stop)
        left = int(order.left * ratio) // lot * lot
        least = up(Fraction(up(Fraction(left, SLICES_MAX)), lot)) * lot
        self._change(
            order,
            price=symbol.tick_down(int(price)) if buys else symbol.tick_up(up(price)),
            left=left,
            minimum=between(1, int(order.asked_minimum * ratio), QUANTITY_MAX),
            part=between(max(lot, least), int(order.part * ratio) // lot * lot, QUANTITY_MAX),
            stop=new_stop,
            trail=between(1, int(order.trail / ratio), PRICE_MAX),
        )

    def _split_limits(self, number: int, ratio: Fraction) -> None:
        """Rulebook 9.4: position limits that name the symbol, and its largest order."""
        for key, (value, span) in self.limits.items():
            scope, subject, kind, symbol = key
            if kind == LimitKind.POSITION and symbol == number:
                self.limits[key] = (min(int(value * ratio), QUANTITY_MAX), span)
            elif kind == LimitKind.MAX_QUANTITY and (scope, subject) == (SYMBOL, number):
                self.limits[key] = (between(1, int(value * ratio), QUANTITY_MAX), span)

    # --- 9.7 new ticker ------------------------------------------------------------------------------

    def rename_reasons(self, command: c.RenameSymbol) -> Reasons:
        """Tell what is wrong with a new ticker."""
        symbol = self.symbols.get(command.symbol_id)
        if not symbol:
            return {Reason.UNKNOWN_SYMBOL: True}
        return {
            Reason.NAME_INVALID: command.name != command.name.strip(),
            Reason.SYMBOL_INVALID: not TICKER.match(command.symbol),
            **self.ticker_reasons(command.symbol, besides=symbol),
            Reason.CORPORATE_ACTION_NOT_NOW: not is_quiet(symbol),
        }

    def ticker_reasons(self, ticker: str, besides: Symbol | None = None) -> Reasons:
        """Tell whether a ticker is taken, or was that of a symbol. besides: one that may have its own back."""
        taken = any(ticker == symbol.tickers[-1] for symbol in self.symbols.values())
        formerly_of = [symbol for symbol in self.symbols.values() if ticker in symbol.tickers]
        return {
            Reason.SYMBOL_TAKEN: taken,
            Reason.SYMBOL_RENAMED: not taken and formerly_of not in ([], [besides]),
        }

    def rename(self, command: c.RenameSymbol) -> None:
        """Give a symbol another ticker."""
        tickers = self.symbols[command.symbol_id].tickers
        tickers.append(command.symbol)
        self.said.append(("renamed", command.symbol_id, *tickers[-2:]))

    # --- 9.8 dividend --------------------------------------------------------------------------------

    def dividend_reasons(self, command: c.PayDividend) -> Reasons:
        """Tell what is wrong with a dividend."""
        symbol = self.symbols.get(command.symbol_id)
        if not symbol:
            return {Reason.UNKNOWN_SYMBOL: True}
        reference = symbol.tick_down(self.reference(command.symbol_id) - command.amount)
        paid = [shares * command.amount for _, shares in self._holders(command.symbol_id)]
        return {
            Reason.NAME_INVALID: command.note != command.note.strip(),
            Reason.CORPORATE_ACTION_NOT_NOW: not is_quiet(symbol),
            Reason.DIVIDEND_INVALID: command.amount < 1 or reference < 1,
            Reason.HOLDING_TOO_LARGE: any(abs(money) > MONEY_MAX for money in paid),
        }

    def pay_dividend(self, command: c.PayDividend) -> None:
        """Lower prices and open orders by the amount, and pay who holds shares."""
        number, symbol, amount = command.symbol_id, self.symbols[command.symbol_id], command.amount
        old, last = self.reference(number), self.last_price(number)
        self.said.append(("dividend", number, amount, old, symbol.tick_down(old - amount)))
        symbol.history.append(symbol.tick_down(old - amount))
        if last:
            self.lasts.append((number, max(last - amount, 1)))
        if symbol.trigger_bps:
            symbol.closing = max(symbol.closing - amount, 1)
        for side in Side:
            for order in self._orders_of(number, side):
                is_open = order.tif in (TimeInForce.GTC, TimeInForce.GTD)
                if (
                    is_open
                    and not order.peg
                    and order.waits == (side == Side.SELL)
                    and not order.flags & OrderFlag.DO_NOT_REDUCE
                ):
                    stop = order.stop - amount
                    self._change(
                        order, price=symbol.tick_down(order.price - amount), left=order.left,
                        minimum=order.asked_minimum, part=order.part, trail=order.trail,
                        stop=stop if order.trail or order.trail_bps else symbol.tick_down(stop),
                    )  # fmt: skip
        self.follow_action(number)
        for account, shares in self._holders(number):
            self._move(account, 0, shares * amount, HoldingCause.DIVIDEND)

    def follow_action(self, number: int) -> None:
        """Let price limits stand around the new price; bands and corridors know how."""

    # --- what they share -----------------------------------------------------------------------------

    def _orders_of(self, number: int, side: Side) -> list[Order]:
        """List what is shown, what is hidden, what waits for a stop price, what waits for an auction."""
        resting = self.resting(number, side)
        shown, hidden = [o for o in resting if not o.hidden], [o for o in resting if o.hidden]
        return [*shown, *hidden, *self.waiting(number, side), *self.auction_only(number, side)]

    def _change(
        self, order: Order, *, price: int, left: int, minimum: int, part: int, stop: int, trail: int
    ) -> None:
        """Give an order other numbers, where it had any; cancel one that is left without a lot or a price."""
        price, stop = price if order.price else 0, stop if order.stop else 0
        has_price = not order.price or 0 < price <= PRICE_MAX
        has_stop = not order.stop or 0 < stop <= PRICE_MAX
        too_large = order.filled + left > QUANTITY_MAX or price * left > NOTIONAL_MAX
        if left == 0 or too_large or not has_price or not has_stop:
            self.kill([order], CancelReason.CORPORATE_ACTION)
            return
        terms = (order.asked_minimum, order.part, order.stop, order.trail)
        order.asked_minimum = minimum if order.asked_minimum else 0
        order.part, order.stop = part if order.part else 0, stop
        order.trail = trail if order.trail else 0
        if terms != (order.asked_minimum, order.part, order.stop, order.trail):
            self.said.append(("terms", order.id, order.asked_minimum, order.part, order.stop, order.trail))
        order.price, order.quantity, order.shown = price, order.filled + left, order.part
        self.to_the_back(order)
        self.lose_top(order)
        self.said.append(("amended", order.id, False, order.price, order.quantity, order.left))

    def _holders(self, number: int) -> list[tuple[int, int]]:
        held = [(account, self.balance(account, number)) for account in sorted(self.accounts)]
        return [(account, shares) for account, shares in held if shares]

    def _move(self, account: int, asset: int, amount: int, cause: HoldingCause) -> None:
        if amount:
            self.moves.append((account, asset, amount))
            self.said.append(("adjusted", account, cause, asset, amount, self.balance(account, asset)))


def is_quiet(symbol: Symbol) -> bool:
    """Rulebook 9.1."""
    return symbol.suspended or symbol.phase in (Phase.CLOSED, Phase.HALTED)


def in_lieu(shares: int, ratio: Fraction, price: int) -> int:
    """Return the money for the fraction of a share that a split leaves, rounded towards zero."""
    return int((shares * ratio - int(shares * ratio)) * price)


def between(least: int, number: int, most: int) -> int:
    """Return the number, or the bound that it is beyond."""
    return min(max(number, least), most)


def up(number: Fraction) -> int:
    """Round up."""
    return -int(-number // 1)
