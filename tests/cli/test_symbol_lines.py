"""Symbols are printed each on a line of its own."""

from __future__ import annotations

import pytest

from exchange.cli.symbol_lines import print_symbols
from tests.cli.test_symbols import AAPL


def test_each_symbol_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_symbols([AAPL, AAPL | {"symbol": "MSFT", "protection_bps": 500}])
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split()[0] == "symbol"
    assert (first.split()[0], second.split()[0]) == ("AAPL", "MSFT")
    assert "500 bps" in second


def test_none_are_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    print_symbols([])
    assert "no symbols" in "".join(capsys.readouterr())
