"""The comparison of both venues sees a difference, and prints what led to it."""

from __future__ import annotations

import pytest

from exchange.matching.venue_state import LIMITS

native = pytest.importorskip(
    "exchange.matching.native",
    reason="the wheel exchange-native is not installed: install Rust and run `make setup`",
    exc_type=ImportError,
)
from tests.matching.equality import Comparison, shrunk  # noqa: E402 (needs the wheel)

SEED = 3


def test_both_venues_agree_until_one_is_another() -> None:
    same, other = Comparison(SEED, LIMITS), Comparison(SEED, LIMITS)
    assert all(same.step() for _ in range(5))
    assert same.has_same_snapshot()
    other.fast = native.NativeVenue(partition=1)
    assert not other.has_same_snapshot()
    assert not all(other.step() for _ in range(5))


def test_what_is_printed_names_each_command_that_is_left() -> None:
    both = Comparison(SEED, LIMITS)
    both.step()
    said = shrunk(both.told, LIMITS).splitlines()
    assert len(said) == len(both.told)
    assert "StartEngine" in said[0]
