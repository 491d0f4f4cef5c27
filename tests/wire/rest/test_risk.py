"""What risk is in JSON: values in their units, and a text for every scope, kind and cause."""

from __future__ import annotations

from exchange.domain.risk import BlockCause, LimitKind, RiskScope
from exchange.wire.rest.risk import CAUSE_TEXT, KIND_TEXT, SCOPE_TEXT, value_text


def test_a_limit_of_money_is_written_as_money() -> None:
    assert value_text(LimitKind.GROSS, 15_000) == "1.50"
    assert value_text(LimitKind.POSITION, 15_000) == "15000"


def test_every_scope_kind_and_cause_has_a_text() -> None:
    assert set(SCOPE_TEXT) == set(RiskScope)
    assert set(KIND_TEXT) == set(LimitKind)
    assert set(CAUSE_TEXT) == set(BlockCause)
