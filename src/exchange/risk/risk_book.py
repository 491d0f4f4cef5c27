"""What a participant or an account has open and has done lately, as far as its limits ask for it."""

from __future__ import annotations

from collections.abc import Callable

from exchange.domain.order import Side
from exchange.domain.risk import DUPLICATES_KINDS_MAX, LimitKind

SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
BUY, SELL = Side.BUY, Side.SELL
DAY_LIMITS = (LimitKind.GROSS, LimitKind.LOSS)


class RiskBook:
    """The limits of one subject with what they measure. It begins with the first limit and ends with the last."""

    __slots__ = (
        "alerted", "day_cash", "day_shares", "duplicates", "duplicates_from_ns", "executions", "executions_from_ns",
        "gross", "limits", "messages_due_ns", "open_notional", "open_quantity", "scope", "subject_id",
    )  # fmt: skip

    def __init__(self, scope: int, subject_id: int) -> None:
        self.scope = scope
        self.subject_id = subject_id
        self.limits: dict[tuple[int, int], tuple[int, int]] = {}
        """(value, span) by kind and symbol id, 0 for any symbol."""
        self.open_quantity: dict[tuple[int, Side], int] = {}
        """Unfilled shares of live orders by symbol and side."""
        self.open_notional: dict[Side, int] = {BUY: 0, SELL: 0}
        """Price times unfilled quantity of live orders; a stop order without a price has none."""
        self.messages_due_ns = 0
        """When the next message would be on time if all came evenly."""
        self.duplicates_from_ns = 0
        self.duplicates: dict[tuple[int, int, int, int], int] = {}
        """Orders in the window by side, symbol, price and quantity."""
        self.executions_from_ns = 0
        self.executions: dict[Side, int] = {BUY: 0, SELL: 0}
        self.begin_day()

    def begin_day(self) -> None:
        """Forget what a business date has added up."""
        self.gross = 0
        """Notional traded, both sides."""
        self.day_cash = 0
        self.day_shares: dict[int, int] = {}
        """Shares bought less shares sold by symbol."""
        self.alerted: dict[LimitKind, int] = dict.fromkeys(DAY_LIMITS, 0)
        """The percentage that was told last."""

    def limit(self, kind: LimitKind, symbol_id: int = 0) -> tuple[int, int] | None:
        """Return (value, span) of a limit: that of the symbol, else that of any."""
        found = self.limits.get((kind, symbol_id))
        return found if found or not symbol_id else self.limits.get((kind, 0))

    # --- open orders ---------------------------------------------------------------------------------

    def open(self, side: Side, symbol_id: int, price: int, quantity: int) -> None:
        """Note that so much more is open, less where negative."""
        self.open_quantity[symbol_id, side] = self.open_quantity.get((symbol_id, side), 0) + quantity
        self.open_notional[side] += price * quantity

    def open_shares(self, symbol_id: int, side: Side) -> int:
        """Return how many shares of a symbol are open on a side."""
        return self.open_quantity.get((symbol_id, side), 0)

    # --- trades --------------------------------------------------------------------------------------

    def trade(self, side: Side, symbol_id: int, price: int, quantity: int) -> None:
        """Add a trade to the day."""
        notional, sign = price * quantity, 1 if side is BUY else -1
        self.gross += notional
        self.day_cash -= sign * notional
        self.day_shares[symbol_id] = self.day_shares.get(symbol_id, 0) + sign * quantity

    def loss(self, price_of: Callable[[int], int]) -> int:
        """Return what the day's trades have lost, negative for a gain; price_of: a symbol's price now."""
        worth = sum(shares * price_of(symbol_id) for symbol_id, shares in self.day_shares.items() if shares)
        return -(self.day_cash + worth)

    def count_execution(self, side: Side, now_ns: int, window_ms: int) -> int:
        """Count a trade; return how many there were on its side in this window."""
        if now_ns - self.executions_from_ns >= window_ms * MS_NS:
            self.executions_from_ns, self.executions = now_ns, {BUY: 0, SELL: 0}
        self.executions[side] += 1
        return self.executions[side]

    # --- messages ------------------------------------------------------------------------------------

    def count_message(self, now_ns: int, rate: int, burst: int, *, must_pass: bool) -> int:
        """Count a message that is not too early; return by how many nanoseconds it is, 0 where it passes.

        rate: messages a second. A message that must pass leaves nothing of the burst, but no debt either.
        """
        interval_ns = SECOND_NS // rate
        early_ns = self.messages_due_ns - now_ns - (burst - 1) * interval_ns
        if early_ns > 0 and not must_pass:
            return early_ns
        due_ns = max(self.messages_due_ns, now_ns) + interval_ns
        self.messages_due_ns = min(due_ns, now_ns + burst * interval_ns)
        return 0

    def count_order(self, order: tuple[int, int, int, int], now_ns: int, window_ms: int) -> int:
        """Count an order (side, symbol, price, quantity); return how many such came in this window."""
        if now_ns - self.duplicates_from_ns >= window_ms * MS_NS:
            self.duplicates_from_ns = now_ns
            self.duplicates.clear()
        count = self.duplicates.get(order, 0) + 1
        if count > 1 or len(self.duplicates) < DUPLICATES_KINDS_MAX:
            self.duplicates[order] = count
        return count
