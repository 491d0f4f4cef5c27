"""`[clearing.settlement]`, `[clearing.margin]`, `[clearing.fund]`: how the clearing house settles and is secured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from exchange.infra.config_keys import Section
from exchange.infra.schedule_config import is_date

BasisPoints = Annotated[int, Meta(ge=0, le=100_000)]


class SettlementConfig(Section, frozen=True, kw_only=True):
    """Settlement. Its days are those of [engine.schedule] where that is enabled, else all; without holidays."""

    days_after: Annotated[int, Meta(ge=0, le=30)] = 1
    """Settlement days after the trading day: 1 is T+1; 0 settles a day as soon as it is closed."""
    holidays: Annotated[tuple[str, ...], Meta(max_length=2_000)] = ()
    """Dates without settlement, such as "2026-12-25", beside the holidays of [engine.schedule]."""
    buy_in_after_days: Annotated[int, Meta(ge=0, le=365)] = 4
    """Settlement days after which a fail to deliver may be closed for money; 0: never."""
    buy_in_premium_bps: BasisPoints = 500
    """What who did not deliver then pays beyond the price, in 1/100 of a percent."""

    def mistakes(self) -> Iterable[tuple[str, str]]:
        """Check that the dates can be read."""
        for text in self.holidays:
            if not is_date(text):
                yield "holidays", f'must be dates such as "2026-12-25", got "{text}"'


class MarginConfig(Section, frozen=True, kw_only=True):
    """Margin for what is traded and not settled: variation, and initial by value at risk, floor and haircut."""

    confidence_percent: Annotated[int, Meta(ge=50, le=100)] = 99
    """Of the past days' losses so many percent are covered."""
    horizon_days: Annotated[int, Meta(ge=1, le=20)] = 3
    """Days that closing out takes: changes of prices are looked at over so many."""
    observations_min: Annotated[int, Meta(ge=20, le=2_500)] = 253
    """Changes that a symbol needs for value at risk; with fewer its haircut is taken."""
    floor_bps: BasisPoints = 200
    """Value at risk counts for at least so much of the gross value."""
    haircut_bps: BasisPoints = 1_000
    """For symbols without enough days, of the gross value."""
    haircut_below_5_bps: BasisPoints = 2_000
    """The same for prices below 5.00."""
    haircut_below_1_bps: BasisPoints = 10_000
    """The same for prices below 1.00."""
    call_within_min: Annotated[int, Meta(ge=1, le=100_000)] = 60
    """Minutes in which a call must be met; later it shows as overdue."""
    intraday_every_min: Annotated[int, Meta(ge=0, le=1_440)] = 0
    """Margin is worked out by itself so often; 0: only when a person or the end of a day asks for it."""


class FundConfig(Section, frozen=True, kw_only=True):
    """The default fund, and what the house adds of its own."""

    skin_in_the_game_bps: Annotated[int, Meta(ge=0, le=10_000)] = 2_500
    """Part of the house's own money that bears a default before the others' parts of the fund do."""
    assessment_times: Annotated[int, Meta(ge=0, le=10)] = 1
    """When the fund is used up the others are asked for so many times their part of it, at most."""
