"""Requests for corporate actions: what is taken, and what is refused before it is sequenced."""

from __future__ import annotations

import msgspec
import pytest

from exchange.wire.rest.corporate import DividendRequest, RenameRequest, SplitRequest


def test_requests_are_read_as_they_stand() -> None:
    split = msgspec.json.decode(
        b'{"new_shares": 3, "old_shares": 2, "cash_price": "1.50"}', type=SplitRequest
    )
    assert (split.new_shares, split.old_shares, split.cash_price, split.note) == (3, 2, "1.50", "")
    assert msgspec.json.decode(b'{"symbol": "NEW"}', type=RenameRequest).name == ""
    assert msgspec.json.decode(b'{"amount": "0.25"}', type=DividendRequest).amount == "0.25"


@pytest.mark.parametrize(
    "body", [b'{"new_shares": 0, "old_shares": 1}', b'{"new_shares": 10001, "old_shares": 1}']
)
def test_a_ratio_has_its_bounds(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=SplitRequest)
