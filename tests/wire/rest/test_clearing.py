"""The JSON of clearing keeps step with the words of its core."""

from __future__ import annotations

import msgspec
import pytest

from exchange.domain.trade import BustReason
from exchange.post_trade.trade_life import TradeState
from exchange.wire.rest import clearing as j


def test_states_and_codes_are_those_of_the_core() -> None:
    assert list(j.STATES) == [state.value for state in TradeState]
    assert list(j.CODES) == [chr(reason) for reason in BustReason]


@pytest.mark.parametrize(
    "body", [b'{"reason": ""}', b'{"reason": "x", "code": "Q"}', b'{"reason": "x", "more": 1}']
)
def test_a_ruling_without_reason_or_with_other_words_is_no_ruling(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=j.BustOrder)


def test_a_ruling_is_erroneous_unless_it_says_otherwise() -> None:
    assert msgspec.json.decode(b'{"reason": "x"}', type=j.BustOrder).code == "E"


def test_a_list_of_trades_filters_by_known_states_only() -> None:
    assert j.TradesQuery(state="held").limit == 100
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"state": "lost"}, j.TradesQuery)
