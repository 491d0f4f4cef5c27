"""Order lists as JSON."""

from __future__ import annotations

import msgspec
import pytest

from exchange.domain.order_list import Contingency
from exchange.wire.rest.order_lists import CONTINGENCIES, CONTINGENCY_TEXT, NewOrderList


def test_every_contingency_has_a_text() -> None:
    assert {CONTINGENCIES[CONTINGENCY_TEXT[kind]] for kind in Contingency} == set(Contingency)


def test_an_unknown_field_is_refused() -> None:
    text = b'{"contingency":"oco","symbol":"X","qty":1,"orders":[{"side":"buy"},{"side":"buy"}],"more":1}'
    with pytest.raises(msgspec.ValidationError, match="more"):
        msgspec.json.decode(text, type=NewOrderList)
