"""What a schedule may say, and what is refused with a whole sentence."""

from __future__ import annotations

from datetime import time

import pytest

from exchange.domain.phase import Phase
from exchange.infra.schedule_config import PhaseRow, ScheduleConfig, row_of


def test_a_row_is_a_time_a_phase_and_perhaps_a_chance() -> None:
    assert row_of("09:30 continuous") == PhaseRow(time(9, 30), Phase.CONTINUOUS, 0)
    assert row_of("16:00:30 post_close +30 s") == PhaseRow(time(16, 0, 30), Phase.POST_CLOSE, 30)


@pytest.mark.parametrize("text", ["9:30 continuous", "09:30 halted", "25:00 closed", "09:30 closed +x s", ""])
def test_a_row_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        row_of(text)


def test_the_default_is_without_mistakes_and_does_nothing() -> None:
    schedule = ScheduleConfig()
    assert not schedule.enabled
    assert list(schedule.mistakes()) == []


@pytest.mark.parametrize(
    ("given", "key", "said"),
    [
        ({"enabled": True, "time_zone": "Mars/Olympus"}, "time_zone", "IANA"),
        ({"weekdays": ("monday",)}, "weekdays", '"monday"'),
        ({"phases": ("10:00 closed", "09:00 continuous")}, "phases", "order of their times"),
        ({"half_day_phases": ("x",)}, "half_day_phases", "must be like"),
        ({"holidays": ("2026-02-30",)}, "holidays", "2026-12-25"),
        ({"half_days": ("20261224",)}, "half_days", "2026-12-25"),
    ],
)
def test_a_mistake_is_named_by_its_key(given: dict[str, object], key: str, said: str) -> None:
    ((found, text),) = ScheduleConfig(**given).mistakes()  # type: ignore[arg-type]
    assert found == key
    assert said in text
