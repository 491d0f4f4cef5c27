"""The kinds of rules there are: each a class whose fields are its parameters in the configuration."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from exchange.domain.trade import BASIS_POINTS, GUIDELINE_TIERS, BustReason, TradeCondition
from exchange.domain.units import format_money, format_price
from exchange.post_trade.expressions import compiled
from exchange.post_trade.rule import Context, Finding, Rule, Verdict
from exchange.post_trade.trade import Trade

NS_PER_MS = 1_000_000
NS_PER_MINUTE = 60_000_000_000
MINUTES_PER_DAY = 1_440


class Tier(msgspec.Struct, frozen=True, gc=False):
    """A guideline for reference prices up to and including `up_to`; 0 for no end."""

    up_to: int
    bps: int


class Hours(msgspec.Struct, frozen=True, gc=False):
    """A part of each day, in minutes after midnight UTC; `ends` is not in it. One that ends first spans midnight."""

    begins: int = 0
    ends: int = 0

    def hold(self, time_ns: int) -> bool:
        """Tell whether a time lies in these hours; all of the day where both ends are the same."""
        minute = time_ns // NS_PER_MINUTE % MINUTES_PER_DAY
        if self.begins <= self.ends:
            return self.begins == self.ends or self.begins <= minute < self.ends
        return minute >= self.begins or minute < self.ends


EXEMPT_FROM_PRICE_REVIEW = (TradeCondition.AUCTION, TradeCondition.WITHIN_LIMITS)


class PriceBand(Rule, frozen=True, kw_only=True):
    """Holds or busts a trade far from its reference price: at or beyond so many times the tier's guideline.

    Nasdaq 11890(a)(2)(C)(1): "equals or exceeds". An auction makes its price itself, and within price limits the market
    has judged already (the rule since 2022), so such trades are exempt. bust_at: 0 for never by itself. Outside of the
    core hours the guideline is `outside_times` as wide, and for a leveraged symbol `leverage` times as wide.
    """

    KIND: ClassVar[str] = "price_band"
    MEANING: ClassVar[str] = "The price is too far from the reference price."

    tiers: tuple[Tier, ...] = tuple(Tier(up_to, bps) for up_to, bps in GUIDELINE_TIERS)
    hold_at: int = 1
    bust_at: int = 3
    core_hours: Hours = Hours()
    outside_times: int = 2
    leverage: dict[str, int] = msgspec.field(default_factory=dict)

    def evaluate(self, trade: Trade, context: Context) -> Finding | None:
        """Compare the distance from the frozen reference price with the guideline of its tier."""
        reference = trade.reference_price
        if trade.symbol_state in EXEMPT_FROM_PRICE_REVIEW:
            return None
        if reference <= 0:
            return Finding(
                Verdict.HOLD, trade.price, 0, "There is no reference price to compare the trade's price with."
            )
        bps = self.guideline_bps(trade, context.symbol)
        distance = abs(trade.price - reference)
        for verdict, times in ((Verdict.BUST, self.bust_at), (Verdict.HOLD, self.hold_at)):
            limit = -(-reference * bps * times // BASIS_POINTS)
            if times and distance >= limit:
                return Finding(
                    verdict, distance, limit, self._sentence(trade, distance, limit, bps, times, verdict)
                )
        return None

    def guideline_bps(self, trade: Trade, symbol: str) -> int:
        """Return the guideline for a trade's reference price, hour and symbol, in basis points."""
        reference = trade.reference_price
        bps = next(tier.bps for tier in self.tiers if not tier.up_to or reference <= tier.up_to)
        if self.leverage:
            bps *= self.leverage.get(symbol, 1)
        return bps if self.core_hours.hold(trade.executed_ns) else bps * self.outside_times

    @staticmethod
    def _sentence(trade: Trade, distance: int, limit: int, bps: int, times: int, verdict: Verdict) -> str:
        way = "above" if trade.price > trade.reference_price else "below"
        guideline = format_percent(bps) if times == 1 else f"{times} × {format_percent(bps)}"
        return (
            f"The price {format_price(trade.price)} is {format_price(distance)} {way} the reference price "
            f"{format_price(trade.reference_price)}; from {format_price(limit)} ({guideline}) on it is to "
            f"{verdict.name.lower()}."
        )


class SelfTrade(Rule, frozen=True, kw_only=True):
    """Finds trades whose two sides are one account, or two accounts of one participant."""

    KIND: ClassVar[str] = "self_trade"
    MEANING: ClassVar[str] = "Buyer and seller are the same."

    scope: Literal["account", "participant"] = "account"
    action: Verdict = Verdict.HOLD
    reason: BustReason = BustReason.SUPERVISORY

    def evaluate(self, trade: Trade, context: Context) -> Finding | None:
        """Compare the two accounts, or whose they are."""
        if trade.buy_account_id == trade.sell_account_id:
            account = trade.buy_account_id
            return Finding(self.action, account, 0, f"Account {account} is both buyer and seller.")
        if self.scope == "participant" and context.buyer is not None and context.buyer == context.seller:
            return Finding(
                self.action,
                context.buyer,
                0,
                f"Buyer and seller are both accounts of participant {context.buyer}.",
            )
        return None


class MaxQuantity(Rule, frozen=True, kw_only=True):
    """Finds trades of more shares than the limit."""

    KIND: ClassVar[str] = "max_quantity"
    MEANING: ClassVar[str] = "The trade has too many shares."

    limit: int
    action: Verdict = Verdict.HOLD

    def evaluate(self, trade: Trade, context: Context) -> Finding | None:
        """Compare the quantity with the limit."""
        if trade.quantity <= self.limit:
            return None
        return Finding(
            self.action,
            trade.quantity,
            self.limit,
            f"{trade.quantity} shares are more than the limit of {self.limit}.",
        )


class MaxNotional(Rule, frozen=True, kw_only=True):
    """Finds trades of more money than the limit."""

    KIND: ClassVar[str] = "max_notional"
    MEANING: ClassVar[str] = "The trade is worth too much."

    limit: int
    action: Verdict = Verdict.HOLD

    def evaluate(self, trade: Trade, context: Context) -> Finding | None:
        """Compare price × quantity with the limit."""
        if trade.notional <= self.limit:
            return None
        return Finding(
            self.action, trade.notional, self.limit,
            f"The trade is worth {format_money(trade.notional)}, the limit is {format_money(self.limit)}.",
        )  # fmt: skip


class Halted(Rule, frozen=True, kw_only=True):
    """Finds trades that were made while their symbol was suspended."""

    KIND: ClassVar[str] = "halted"
    MEANING: ClassVar[str] = "The symbol was suspended."

    action: Verdict = Verdict.HOLD
    reason: BustReason = BustReason.SUPERVISORY

    def evaluate(self, trade: Trade, context: Context) -> Finding | None:
        """Look at the symbol's state at the trade."""
        if trade.symbol_state != TradeCondition.SUSPENDED:
            return None
        return Finding(
            self.action,
            trade.symbol_state,
            TradeCondition.CONTINUOUS,
            f"{context.symbol} was suspended when it traded.",
        )


class UnknownAccount(Rule, frozen=True, kw_only=True):
    """Finds trades of accounts that clearing has never heard of."""

    KIND: ClassVar[str] = "unknown_account"
    MEANING: ClassVar[str] = "A side's account is unknown."

    action: Verdict = Verdict.HOLD
    reason: BustReason = BustReason.SUPERVISORY

    def evaluate(self, trade: Trade, context: Context) -> Finding | None:
        """Look for both accounts' participants."""
        for account, participant in (
            (trade.buy_account_id, context.buyer),
            (trade.sell_account_id, context.seller),
        ):
            if participant is None:
                return Finding(
                    self.action, account, 0, f"There is no account {account} in the stream of events."
                )
        return None


class Duplicate(Rule, frozen=True, kw_only=True):
    """Finds one trade again and again: same sides, symbol, price and quantity by many incoming orders.

    The default takes an order loop gone wild; what people and ordinary algorithms do stays far below it.
    """

    KIND: ClassVar[str] = "duplicate"
    MEANING: ClassVar[str] = "The same trade was made many times within a short time."
    LOOKS_BACK: ClassVar[bool] = True

    at_least: int = 20
    within_ms: int = 1_000
    action: Verdict = Verdict.HOLD

    def evaluate(self, trade: Trade, context: Context) -> Finding | None:
        """Count the incoming orders that made this trade within the time."""
        count = context.recent.repetitions(trade, self.within_ms * NS_PER_MS, self.at_least)
        if count < self.at_least:
            return None
        return Finding(
            self.action, count, self.at_least,
            f"At least {count} incoming orders made this same trade within {self.within_ms} ms.",
        )  # fmt: skip


class Expr(Rule, frozen=True, kw_only=True):
    """Finds trades for which an expression is true (`expressions.py` says what may stand in one)."""

    KIND: ClassVar[str] = "expr"
    MEANING: ClassVar[str] = "The rule's expression is true."

    expr: str
    action: Verdict = Verdict.HOLD

    def evaluate(self, trade: Trade, context: Context) -> Finding | None:
        """Ask the expression; where it is true, tell the values it saw and both sides of its first comparison."""
        expression = compiled(self.expr)
        if not expression.holds(trade, context):
            return None
        measured, limit = expression.sides(trade, context) if expression.sides else (1, 0)
        values = zip(expression.names, expression.values(trade, context), strict=True)
        seen = ", ".join(f"{name} {_written(name, value)}" for name, value in values)
        return Finding(self.action, measured, limit, f"True for this trade: {self.expr}, with {seen}.")


def _written(name: str, value: object) -> str:
    is_amount = name in ("price", "notional", "reference_price", "distance")
    return format_money(value) if is_amount and isinstance(value, int) else str(value)


KINDS: dict[str, type[Rule]] = {
    kind.KIND: kind
    for kind in (PriceBand, SelfTrade, MaxQuantity, MaxNotional, Halted, UnknownAccount, Duplicate, Expr)
}
"""Every kind by its name in the configuration; `added_kinds.py` adds those of others."""


def format_percent(bps: int) -> str:
    """Write basis points as percent: `3 %`, `0.25 %`."""
    whole, fraction = divmod(bps, 100)
    decimals = f".{fraction:02d}".rstrip("0") if fraction else ""
    return f"{whole}{decimals} %"
