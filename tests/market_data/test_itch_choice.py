"""Which stream of ITCH is taken."""

from __future__ import annotations

import sys

import pytest

from exchange.market_data.itch_choice import stream_kind
from exchange.market_data.itch_stream import ItchStream


def test_without_the_compiled_module_the_definition_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchange.market_data.itch_native", None)
    assert stream_kind() is ItchStream


def test_whatever_is_taken_has_the_interface_of_the_definition() -> None:
    assert issubclass(stream_kind(), ItchStream)
