"""From when on a pattern is one: the thresholds of every detector, each with its source.

All are presets to be calibrated for a market, not law, but for what a source is named for.
"""

from __future__ import annotations

import msgspec

MS = 1_000_000
SECOND = 1_000 * MS


class Spoofing(msgspec.Struct, frozen=True, kw_only=True):
    """SPOOF-1. Dodd-Frank Act §747 (7 U.S.C. 6c(a)(5)(C)); Regulation (EU) 596/2014, annex I A(e)."""

    enabled: bool = True
    ticks_from_touch: int = 3
    times_median: int = 5
    depth_percent: int = 20
    times_filled: int = 3
    unfilled_percent: int = 90
    cancel_within_ms: int = 5_000
    life_max_ms: int = 30_000
    episodes: int = 3


class Layering(msgspec.Struct, frozen=True, kw_only=True):
    """LAYER-1. FINRA rules 2020 and 5210 .03; Regulation (EU) 2016/522, annex II section 1 (5)(e)."""

    enabled: bool = True
    layers: int = 3
    depth_percent: int = 30
    times_filled: int = 3
    cancelled_percent: int = 80
    cancel_within_ms: int = 2_000
    episodes: int = 1


class WashTrades(msgspec.Struct, frozen=True, kw_only=True):
    """WASH-1. Securities Exchange Act §9(a)(1)(A); FINRA rule 5210 .02."""

    enabled: bool = True


class CircularTrading(msgspec.Struct, frozen=True, kw_only=True):
    """WASH-2. Securities Exchange Act §9(a)(1)(B) and (C): matched orders."""

    enabled: bool = True
    members_max: int = 4
    within_s: int = 60
    quantity_percent: int = 5
    price_bps: int = 10
    entered_within_ms: int = 1_000
    rounds: int = 3


class MarkingClose(msgspec.Struct, frozen=True, kw_only=True):
    """MTC-1. Regulation (EU) 596/2014, article 12(2)(b)."""

    enabled: bool = True
    window_s: int = 600
    window_percent: int = 20
    day_percent: int = 10
    aggressive_percent: int = 50
    move_bps: int = 50
    volume_min: int = 1_000


class MarkingAuction(msgspec.Struct, frozen=True, kw_only=True):
    """MTO-1. Regulation (EU) 2016/522, annex II section 1 (5)(d)."""

    enabled: bool = True
    paired_percent: int = 25
    before_uncross_s: int = 30
    move_bps: int = 100


class MomentumIgnition(msgspec.Struct, frozen=True, kw_only=True):
    """RAMP-1. ESMA/2012/122, guideline 5; Regulation (EU) 2016/522, annex II section 1 (5)(c)."""

    enabled: bool = True
    orders: int = 5
    within_ms: int = 10_000
    move_bps: int = 100
    reversed_percent: int = 50
    reversed_within_ms: int = 60_000


class QuoteStuffing(msgspec.Struct, frozen=True, kw_only=True):
    """STUFF-1. Regulation (EU) 596/2014, article 12(2)(c)(i) and (ii)."""

    enabled: bool = True
    messages: int = 500
    cancelled_percent: int = 95


class OrderToTrade(msgspec.Struct, frozen=True, kw_only=True):
    """OTR-1. Regulation (EU) 2017/566, articles 1 and 3, and its annex; the limits are examples."""

    enabled: bool = True
    number_limit: int = 250
    volume_limit: int = 100
    messages_min: int = 500


class FrontRunning(msgspec.Struct, frozen=True, kw_only=True):
    """FRONT-1. FINRA rule 5270 (blocks of 10,000 shares)."""

    enabled: bool = True
    block: int = 10_000
    before_ms: int = 5_000
    benefit_bps: int = 1
    house_accounts: tuple[int, ...] = ()


class ErroneousTrades(msgspec.Struct, frozen=True, kw_only=True):
    """CE-1. Nasdaq rule 11890: the guidelines of clearly erroneous executions (`domain/trade.py`)."""

    enabled: bool = True


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All thresholds. alerts_per_day_max: of one detector about the same members and symbol; more are counted."""

    alerts_per_day_max: int = 50
    spoofing: Spoofing = Spoofing()
    layering: Layering = Layering()
    wash_trades: WashTrades = WashTrades()
    circular_trading: CircularTrading = CircularTrading()
    marking_close: MarkingClose = MarkingClose()
    marking_auction: MarkingAuction = MarkingAuction()
    momentum_ignition: MomentumIgnition = MomentumIgnition()
    quote_stuffing: QuoteStuffing = QuoteStuffing()
    order_to_trade: OrderToTrade = OrderToTrade()
    front_running: FrontRunning = FrontRunning()
    erroneous_trades: ErroneousTrades = ErroneousTrades()
