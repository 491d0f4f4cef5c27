"""`[surveillance]`: from when on a pattern is one. The thresholds are presets, to be calibrated for a market."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from exchange.infra.config_keys import Secret, Section

Number = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Percent = Annotated[int, Meta(ge=1, le=100)]
BasisPoints = Annotated[int, Meta(ge=1, le=10_000)]
Milliseconds = Annotated[int, Meta(ge=1, le=86_400_000)]
Seconds = Annotated[int, Meta(ge=1, le=86_400)]


class SpoofingConfig(Section, frozen=True, kw_only=True):
    """SPOOF-1: a large order near the touch that is taken back once a small one on the other side has traded.
    Source: Dodd-Frank Act §747; Regulation (EU) 596/2014, annex I A(e).
    """

    enabled: bool = True
    """Whether it is looked for."""
    ticks_from_touch: Number = 3
    """The large order is at most so many ticks behind the best price of its side."""
    times_median: Number = 5
    """It is at least so many times the median size of the symbol's last orders."""
    depth_percent: Percent = 20
    """It is at least so much of the five best prices of its side."""
    times_filled: Number = 3
    """It is at least so many times what its owner trades on the other side meanwhile."""
    unfilled_percent: Percent = 90
    """At least so much of it is unfilled when it is taken back."""
    cancel_within_ms: Milliseconds = 5_000
    """It is taken back so soon after that trade."""
    life_max_ms: Milliseconds = 30_000
    """It lives no longer than this."""
    episodes: Number = 3
    """So many times on a business date are an alert; the first is a note."""


class LayeringConfig(Section, frozen=True, kw_only=True):
    """LAYER-1: orders at several prices that go as soon as their owner has traded on the other side.
    Source: FINRA rules 2020 and 5210 .03; Regulation (EU) 2016/522, annex II section 1 (5)(e).
    """

    enabled: bool = True
    """Whether it is looked for."""
    layers: Number = 3
    """At so many different prices at least, of the five best ones."""
    depth_percent: Percent = 30
    """Together they are at least so much of the five best prices of their side."""
    times_filled: Number = 3
    """They are at least so many times what their owner has on the other side."""
    cancelled_percent: Percent = 80
    """At least so many of them are taken back."""
    cancel_within_ms: Milliseconds = 2_000
    """They are taken back so soon after the trade."""
    episodes: Number = 1
    """So many times on a business date are an alert."""


class WashTradesConfig(Section, frozen=True, kw_only=True):
    """WASH-1: one owner bought and sold. An owner is a member, or a self-trade group of members.
    Source: Securities Exchange Act §9(a)(1)(A); FINRA rule 5210 .02.
    """

    enabled: bool = True
    """Whether it is looked for."""


class CircularTradingConfig(Section, frozen=True, kw_only=True):
    """WASH-2: shares go round and come back, by orders made for each other.
    Source: Securities Exchange Act §9(a)(1)(B) and (C).
    """

    enabled: bool = True
    """Whether it is looked for."""
    members_max: Annotated[int, Meta(ge=2, le=6)] = 4
    """Owners in a ring, at most."""
    within_s: Seconds = 60
    """Once round takes no longer."""
    quantity_percent: Percent = 5
    """The quantities differ by no more."""
    price_bps: BasisPoints = 10
    """The prices differ by no more."""
    entered_within_ms: Milliseconds = 1_000
    """The resting order of each trade was no older."""
    rounds: Number = 3
    """So many rounds on a business date are an alert; the first is a note."""


class MarkingCloseConfig(Section, frozen=True, kw_only=True):
    """MTC-1: aggressive trades shortly before the close that carry the closing price.
    Source: Regulation (EU) 596/2014, article 12(2)(b).
    """

    enabled: bool = True
    """Whether it is looked for."""
    window_s: Seconds = 600
    """How long before the close is looked at."""
    window_percent: Percent = 20
    """An owner has at least so much of its volume, on one side."""
    day_percent: Percent = 10
    """Or so much of the day's volume."""
    aggressive_percent: Percent = 50
    """At least so much of it took the other side's price, or traded in an auction."""
    move_bps: BasisPoints = 50
    """The price moved at least so far, its way."""
    volume_min: Number = 1_000
    """With less volume in all nothing is said."""


class MarkingAuctionConfig(Section, frozen=True, kw_only=True):
    """MTO-1: a large order that moves an auction's indicated price is taken back at the end.
    Source: Regulation (EU) 2016/522, annex II section 1 (5)(d).
    """

    enabled: bool = True
    """Whether it is looked for."""
    paired_percent: Percent = 25
    """The order is at least so much of what was to trade."""
    before_uncross_s: Seconds = 30
    """It is taken back so shortly before the auction ends."""
    move_bps: BasisPoints = 100
    """The price comes out at least so far from where it was indicated."""


class MomentumIgnitionConfig(Section, frozen=True, kw_only=True):
    """RAMP-1: somebody pushes the price and trades against who follows.
    Source: ESMA/2012/122, guideline 5; Regulation (EU) 2016/522, annex II section 1 (5)(c).
    """

    enabled: bool = True
    """Whether it is looked for."""
    orders: Number = 5
    """Aggressive orders on one side, at least."""
    within_ms: Milliseconds = 10_000
    """They come within this time."""
    move_bps: BasisPoints = 100
    """They move the price at least so far."""
    reversed_percent: Percent = 50
    """Their owner trades at least so much back, at rest."""
    reversed_within_ms: Milliseconds = 60_000
    """It does so within this time."""


class QuoteStuffingConfig(Section, frozen=True, kw_only=True):
    """STUFF-1: a burst of orders that come and go within a second.
    Source: Regulation (EU) 596/2014, article 12(2)(c).
    """

    enabled: bool = True
    """Whether it is looked for."""
    messages: Number = 500
    """More than so many orders, changes and cancels of an owner in a symbol in one second."""
    cancelled_percent: Percent = 95
    """At least so many of the orders are taken back; none trades."""


class OrderToTradeConfig(Section, frozen=True, kw_only=True):
    """OTR-1: far more orders than trades, by member, symbol and business date.
    Source: Regulation (EU) 2017/566, articles 1 and 3; the limits are examples.
    """

    enabled: bool = True
    """Whether it is looked for."""
    number_limit: Number = 250
    """Orders, changes and cancels for each trade, less one."""
    volume_limit: Number = 100
    """Shares ordered for each share traded, less one."""
    messages_min: Number = 500
    """With fewer orders, changes and cancels nothing is said."""


class FrontRunningConfig(Section, frozen=True, kw_only=True):
    """FRONT-1: a member trades for itself just before a client's block. Source: FINRA rule 5270."""

    enabled: bool = True
    """Whether it is looked for."""
    block: Number = 10_000
    """An order of so many shares is a block."""
    before_ms: Milliseconds = 5_000
    """How long before the block's entry is looked at."""
    benefit_bps: BasisPoints = 1
    """How much better the early trades' average price is, at least."""
    house_accounts: Annotated[tuple[int, ...], Meta(max_length=10_000)] = ()
    """Ids of accounts that members trade for themselves with; without any, every other account of the member."""


class ErroneousTradesConfig(Section, frozen=True, kw_only=True):
    """CE-1: trades at or beyond the guideline that were neither busted nor corrected on their date.
    Source: Nasdaq rule 11890.
    """

    enabled: bool = True
    """Whether they are listed."""


class SurveillanceConfig(Section, frozen=True, kw_only=True):
    """Surveillance: looks for patterns of abuse in the event stream, within clearing."""

    enabled: bool = True
    """Whether clearing looks; `exchange surveillance run` looks offline all the same."""
    store_url: Annotated[str, Secret()] = ""
    """Database of alerts and cases; empty: PostgreSQL where clearing has it, in a schema of its own, else SQLite in
    clearing's folder.
    """
    alerts_per_day_max: Number = 50
    """Alerts of one detector about the same members and symbol on a date; more are only counted."""
    spoofing: SpoofingConfig = SpoofingConfig()
    layering: LayeringConfig = LayeringConfig()
    wash_trades: WashTradesConfig = WashTradesConfig()
    circular_trading: CircularTradingConfig = CircularTradingConfig()
    marking_close: MarkingCloseConfig = MarkingCloseConfig()
    marking_auction: MarkingAuctionConfig = MarkingAuctionConfig()
    momentum_ignition: MomentumIgnitionConfig = MomentumIgnitionConfig()
    quote_stuffing: QuoteStuffingConfig = QuoteStuffingConfig()
    order_to_trade: OrderToTradeConfig = OrderToTradeConfig()
    front_running: FrontRunningConfig = FrontRunningConfig()
    erroneous_trades: ErroneousTradesConfig = ErroneousTradesConfig()
