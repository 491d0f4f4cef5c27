"""The words of quotes."""

from __future__ import annotations

from msgspec.structs import astuple

from exchange.domain.quote import NO_PROTECTION


def test_no_protection_has_neither_limit_nor_window() -> None:
    assert not any(astuple(NO_PROTECTION))
