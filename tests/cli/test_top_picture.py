"""How `exchange top` looks."""

from __future__ import annotations

from rich.console import Console

from exchange.cli.figures import Figures
from exchange.cli.top import NAMES, view
from exchange.cli.top_picture import curve, duration, milliseconds, number, picture


def test_numbers_are_written_for_people() -> None:
    assert [number(12_345.6), number(1.26, 1), number(None)] == ["12,346", "1.3", "–"]
    assert [milliseconds(each) for each in (0.12345, 12.345, 1234.5, None)] == ["0.123", "12.3", "1,234", "–"]
    assert [duration(each) for each in (5, 65, 3_700, 90_000, None)] == [
        "5 s", "1 min 5 s", "1 h 1 min", "1 d 1 h", "–",
    ]  # fmt: skip


def test_a_curve_is_as_high_as_its_highest_value() -> None:
    assert curve([0, 1, None, 4, 8]) == "▁▂ ▅█"
    assert curve([0, 0]) == "▁▁"
    assert curve([None]) == " "
    assert len(curve([1] * 100)) == 20


def test_nothing_at_all_fits_eighty_columns_and_says_that_all_are_away() -> None:
    away = {name: Figures("http://127.0.0.1:1", problem="cannot be reached") for name in NAMES}
    console = Console(width=80, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(picture([view(away, away)]))
    text = captured.get()
    assert max(len(line) for line in text.splitlines()) <= 80
    assert text.count("unreachable") == 3
    assert "engine: cannot be reached" in text
    assert "breaks unknown" in text
    assert len(text.splitlines()) <= 24 + 3, "all but the reasons fits a small terminal"
