"""The words of risk before the match: who is blocked, and what limits hold for whom."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from exchange.domain.units import MONEY_MAX, QUANTITY_MAX

TIMER_MS_MAX = 3_600_000
"""The longest a cancel timer runs: an hour."""
RISK_LIMITS_MAX = 100_000
DUPLICATES_KINDS_MAX = 4_096
"""Different orders counted in one window of the duplicates check; what comes beyond them is not counted."""
RATE_MAX = 1_000_000
"""The most messages a second, and the largest burst, that a limit names."""
COLLAR_BPS_MAX = 10_000


class RiskScope(IntEnum):
    """Of whom a block or a limit speaks."""

    MARKET = 1
    """Everybody; the subject is 0."""
    SYMBOL = 2
    PARTICIPANT = 3
    """All accounts of a participant, together."""
    ACCOUNT = 4
    SESSION = 5
    """The orders of one OUCH session, by the id of its key."""


class BlockCause(IntEnum):
    """Why trading was blocked."""

    ORDERED = 1
    """Somebody asked for it."""
    EXECUTIONS = 2
    """It traded too often; see `LimitKind.EXECUTIONS`."""


class LimitKind(IntEnum):
    """What a limit measures, in the order in which an order is checked."""

    SYMBOL_BARRED = 1
    """The symbol may not be traded."""
    MAX_QUANTITY = 2
    """Shares of one order."""
    MAX_NOTIONAL = 3
    """Price times quantity of one order, at the worst price at which it could trade."""
    COLLAR = 4
    """How far a limit price may lie beyond the reference price, in basis points."""
    DUPLICATES = 5
    """Orders of the same side, symbol, price and quantity within so many milliseconds."""
    MESSAGES = 6
    """Entries, changes and cancels a second; the span is the largest burst. Cancels count and pass."""
    POSITION = 7
    """Shares held, long or short, with all open orders of one side filled."""
    BUYING_POWER = 8
    """Credit beyond the cash that is there; sales need the shares."""
    SHORT_SALES = 9
    """Sales beyond the shares that are there are allowed, where `BUYING_POWER` would refuse them."""
    GROSS = 10
    """Traded and open notional of a business date, both sides."""
    LOSS = 11
    """What the trades of a business date have lost, at the reference prices."""
    EXECUTIONS = 12
    """Trades on one side within so many milliseconds; at the limit the subject is blocked."""


class LimitTerms(msgspec.Struct, frozen=True, gc=False):
    """What a limit of a kind may be. scopes: for whom; symbol: may it, or must it, name a symbol."""

    scopes: tuple[RiskScope, ...]
    least: int
    most: int
    span_most: int = 0
    symbol: bool = False
    needs_symbol: bool = False


_ACCOUNT = (RiskScope.ACCOUNT,)
_MEMBER = (RiskScope.PARTICIPANT, RiskScope.ACCOUNT)
_ALL = (RiskScope.SYMBOL, RiskScope.PARTICIPANT, RiskScope.ACCOUNT)
LIMIT_TERMS: dict[LimitKind, LimitTerms] = {
    LimitKind.SYMBOL_BARRED: LimitTerms(_MEMBER, 1, 1, symbol=True, needs_symbol=True),
    LimitKind.MAX_QUANTITY: LimitTerms(_ALL, 1, QUANTITY_MAX),
    LimitKind.MAX_NOTIONAL: LimitTerms(_ALL, 1, MONEY_MAX),
    LimitKind.COLLAR: LimitTerms(_ALL, 1, COLLAR_BPS_MAX),
    LimitKind.DUPLICATES: LimitTerms(_MEMBER, 1, RATE_MAX, TIMER_MS_MAX),
    LimitKind.MESSAGES: LimitTerms(_MEMBER, 1, RATE_MAX, RATE_MAX),
    LimitKind.POSITION: LimitTerms(_ACCOUNT, 0, QUANTITY_MAX, symbol=True),
    LimitKind.BUYING_POWER: LimitTerms(_ACCOUNT, 0, MONEY_MAX),
    LimitKind.SHORT_SALES: LimitTerms(_ACCOUNT, 1, 1, symbol=True),
    LimitKind.GROSS: LimitTerms(_MEMBER, 1, MONEY_MAX),
    LimitKind.LOSS: LimitTerms(_ACCOUNT, 1, MONEY_MAX),
    LimitKind.EXECUTIONS: LimitTerms(_MEMBER, 1, RATE_MAX, TIMER_MS_MAX),
}
ALERT_PERCENTS = (100, 90, 70)
"""Where an alert is told, highest first."""


class TradingBlock(msgspec.Struct, frozen=True, gc=False):
    """Who may not trade since when. role: of the key that pulled the switch, 0 where the market did it itself."""

    scope: RiskScope
    subject_id: int
    key_id: int
    role: int
    cause: BlockCause
    note: str


class RiskLimit(msgspec.Struct, frozen=True, gc=False):
    """One limit in force. value: in the kind's unit; span: milliseconds, or the burst; 0 where it has none."""

    scope: RiskScope
    subject_id: int
    symbol_id: int
    kind: LimitKind
    value: int
    span: int
