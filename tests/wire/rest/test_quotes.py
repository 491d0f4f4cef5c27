"""Quotes as JSON."""

from __future__ import annotations

import msgspec
import pytest

from exchange.wire.rest.quotes import NewQuotes


def test_a_mass_quote_needs_a_quote() -> None:
    with pytest.raises(msgspec.ValidationError, match="length"):
        msgspec.json.decode(b'{"quotes":[]}', type=NewQuotes)
