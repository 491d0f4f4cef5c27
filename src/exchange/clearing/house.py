"""The parts of the clearing house that a running clearing has beside its desks for trades."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.collateral_desk import CollateralDesk, MarginClock
from exchange.clearing.default_desk import DefaultDesk, DefaultRelay, FundTerms
from exchange.clearing.engine_client import EngineClient
from exchange.clearing.office import Office
from exchange.clearing.rest_api import TradesApi
from exchange.clearing.rest_collateral import CollateralApi
from exchange.infra.clearing_house_config import MarginConfig
from exchange.infra.clock import Clock
from exchange.infra.config_sections import ClearingConfig
from exchange.post_trade.margin import MarginRules

BELOW_1, BELOW_5 = 10_000, 50_000
"""The prices from which other haircuts hold, in 1/10,000."""


@dataclass(frozen=True)
class House:
    """Desks for collateral and defaults, the relay that has participants stopped, and the clock of margin."""

    collateral: CollateralDesk
    defaults: DefaultDesk
    relay: DefaultRelay
    clock: MarginClock

    def api(self, office: Office, trades: TradesApi) -> CollateralApi:
        """Return the routes."""
        return CollateralApi(office, trades, self.collateral, self.defaults, self.relay)


def open_house(section: ClearingConfig, keeper: BookKeeper, engine: EngineClient, clock: Clock) -> House:
    """Make the parts as they are configured."""
    collateral = CollateralDesk(keeper, margin_rules(section.margin), section.margin.call_within_min)
    fund = FundTerms(section.fund.skin_in_the_game_bps, section.fund.assessment_times)
    return House(
        collateral,
        DefaultDesk(keeper, fund),
        DefaultRelay(keeper, engine, clock),
        MarginClock(collateral, clock, section.margin.intraday_every_min),
    )


def margin_rules(section: MarginConfig) -> MarginRules:
    """Return how margin is taken."""
    return MarginRules(
        confidence_percent=section.confidence_percent,
        horizon_days=section.horizon_days,
        observations_min=section.observations_min,
        floor_bps=section.floor_bps,
        haircuts=(
            (BELOW_1, section.haircut_below_1_bps),
            (BELOW_5, section.haircut_below_5_bps),
            (0, section.haircut_bps),
        ),
    )
