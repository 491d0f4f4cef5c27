"""Types of columns that databases do not have."""

from __future__ import annotations

from exchange.reporter.schema import WideInteger


def test_wide_integers_go_through_text() -> None:
    wide = WideInteger()
    assert wide.process_bind_param(10**30, None) == "1" + "0" * 30
    assert wide.process_result_value("-7", None) == -7
    assert wide.process_bind_param(None, None) is None
    assert wide.process_result_value(None, None) is None
