"""The clearing house's part of the configuration."""

from __future__ import annotations

from exchange.clearing.app import settlement_terms
from exchange.infra.clearing_house_config import SettlementConfig
from exchange.infra.config import Config
from exchange.infra.config_sections import ClearingConfig, EngineConfig
from exchange.infra.schedule_config import ScheduleConfig

SETTLEMENT = SettlementConfig(holidays=("2026-11-27",))


def test_a_holiday_that_is_no_date_is_a_mistake() -> None:
    assert list(SettlementConfig(holidays=("2026-13-01", "2026-12-25")).mistakes()) == [
        ("holidays", 'must be dates such as "2026-12-25", got "2026-13-01"')
    ]


def test_settlement_days_are_those_of_the_schedule_or_all_without_one() -> None:
    section = ClearingConfig(settlement=SETTLEMENT)
    without = settlement_terms(Config(clearing=section))
    assert [without.due(day) for day in (20261127, 20261128)] == [20261129, 20261129]
    schedule = ScheduleConfig(enabled=True, holidays=("2026-11-30",))
    with_it = settlement_terms(Config(clearing=section, engine=EngineConfig(schedule=schedule)))
    assert with_it.due(20261126) == 20261201
